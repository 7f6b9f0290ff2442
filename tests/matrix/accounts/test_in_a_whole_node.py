"""Accounts together with rooms and /sync."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nio
import pytest
from aiohttp.test_utils import TestClient, TestServer

from server.assembly import build, make_app
from server.foundation.signatures import SigningKey
from server.storage.streams import StreamPositions
from tests.empty_database import lay_down
from tests.matrix.accounts.conftest import PASSWORD, Node, Person, StillClock, settings_of


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Node]:
    """A node with everything, on the folder of the test."""
    settings = settings_of(f'[database]\nurl = "sqlite+aiosqlite:///{tmp_path}/whole.db"\n', tmp_path)
    settings = replace(settings, data_dir=tmp_path)
    settings.signing_key_file.write_text(SigningKey.generate().line())
    await lay_down(settings.database.url)
    async with build(settings) as node:
        client = TestClient(TestServer(make_app(node)))
        await client.start_server()
        yield Node(client, node.accounts, node.core.database, StreamPositions(0), StillClock())
        await client.close()


async def sync(person: Person, since: str | None = None, timeout: int = 0) -> dict[str, Any]:
    path = f"v3/sync?timeout={timeout}" + (f"&since={since}" if since else "")
    status, answer = await person.get(path)
    assert status == 200
    found: dict[str, Any] = answer
    return found


async def shared_room(one: Person, *others: Person) -> str:
    _, answer = await one.post("v3/createRoom", {"preset": "public_chat"})
    room_id = str(answer["room_id"])
    for other in others:
        assert (await other.post(f"v3/rooms/{room_id}/join", {}))[0] == 200
    return room_id


def plain_keys(person: Person) -> dict[str, Any]:
    return {"device_keys": {
        "user_id": person.user_id, "device_id": person.device_id, "algorithms": [], "keys": {}, "signatures": {},
    }}


async def test_account_data_and_rules_come_down_sync(whole: Node) -> None:
    hana = await whole.person("hana")
    first = await sync(hana)
    assert [item["type"] for item in first["account_data"]["events"]] == ["m.push_rules"]
    await hana.put(f"v3/user/{hana.user_id}/account_data/jp.x", {"a": 1})
    second = await sync(hana, first["next_batch"])
    assert second["account_data"]["events"] == [{"type": "jp.x", "content": {"a": 1}}]
    assert "account_data" not in await sync(hana, second["next_batch"])


async def test_a_message_to_a_device_wakes_its_sync_and_comes_once(whole: Node) -> None:
    hana, taro = await whole.person("hana"), await whole.person("taro")
    since = (await sync(taro))["next_batch"]
    waiting = asyncio.ensure_future(sync(taro, since, timeout=20_000))
    await hana.put("v3/sendToDevice/m.x/1", {"messages": {taro.user_id: {"*": {"n": 1}}}})
    answer = await waiting
    event = {"sender": hana.user_id, "type": "m.x", "content": {"n": 1}}
    assert answer["to_device"]["events"] == [event]
    assert (await sync(taro, since))["to_device"]["events"] == [event]
    assert "to_device" not in await sync(taro, answer["next_batch"])


async def test_new_keys_are_told_to_those_who_share_a_room(whole: Node) -> None:
    hana, taro, stranger = await whole.person("hana"), await whole.person("taro"), await whole.person("stranger")
    await shared_room(hana, taro)
    before = [(await sync(person))["next_batch"] for person in (hana, taro, stranger)]
    await hana.post("v3/keys/upload", plain_keys(hana))
    for person, since in zip((hana, taro), before, strict=False):
        answer = await sync(person, since, timeout=30_000)
        assert answer["device_lists"]["changed"] == [hana.user_id]
        _, changes = await person.get(f"v3/keys/changes?from={since}&to={answer['next_batch']}")
        assert changes == {"changed": [hana.user_id], "left": []}
    assert "device_lists" not in await sync(stranger, before[2])


@pytest.mark.parametrize("query", ["", "?from=s1_0", "?from=x&to=y"])
async def test_changes_between_no_positions_are_refused(whole: Node, query: str) -> None:
    assert (await (await whole.person()).get(f"v3/keys/changes{query}"))[0] == 400


async def test_a_renamed_and_a_deleted_device_are_told(whole: Node) -> None:
    hana, taro = await whole.person("hana", "ONE"), await whole.person("taro")
    await whole.person("hana", "TWO")
    await shared_room(hana, taro)
    since = (await sync(taro))["next_batch"]
    await hana.put("v3/devices/TWO", {"display_name": "other"})
    answer = await sync(taro, since, timeout=30_000)
    assert answer["device_lists"]["changed"] == [hana.user_id]
    await hana.delete("v3/devices/TWO", {"auth": hana.password_auth()})
    answer = await sync(taro, answer["next_batch"], timeout=30_000)
    assert answer["device_lists"]["changed"] == [hana.user_id]


async def test_a_changed_name_reaches_the_rooms(whole: Node) -> None:
    hana, taro = await whole.person("hana"), await whole.person("taro")
    room_id = await shared_room(hana, taro)
    await hana.put(f"v3/profile/{hana.user_id}/displayname", {"displayname": "花子"})
    _, member = await taro.get(f"v3/rooms/{room_id}/state/m.room.member/{hana.user_id}")
    assert member["displayname"] == "花子"


async def test_people_are_found_where_they_may_be_met(whole: Node) -> None:
    hana, taro = await whole.person("hana"), await whole.person("taro")
    search = {"search_term": "HAN"}
    assert (await taro.post("v3/user_directory/search", search))[1] == {"results": [], "limited": False}
    await hana.post("v3/createRoom", {"preset": "private_chat"})
    assert (await taro.post("v3/user_directory/search", search))[1]["results"] == []
    await hana.post("v3/createRoom", {"preset": "public_chat"})
    _, answer = await taro.post("v3/user_directory/search", search)
    assert answer == {"results": [{"user_id": hana.user_id, "display_name": "hana"}], "limited": False}
    await hana.put(f"v3/profile/{hana.user_id}/displayname", {"displayname": "桜"})
    _, answer = await taro.post("v3/user_directory/search", {"search_term": "桜"})
    assert answer["results"] == [{"user_id": hana.user_id, "display_name": "桜"}]
    assert (await taro.post("v3/user_directory/search", {}))[0] == 400
    assert (await taro.post("v3/user_directory/search", {"search_term": "x", "limit": -1}))[0] == 400


async def test_two_real_clients_talk_encrypted(whole: Node, tmp_path: Path) -> None:
    """matrix-nio with its own keys, sessions and messages between devices."""
    address = str(whole.client.make_url("")).rstrip("/")
    clients = []
    for name in ("hana", "taro"):
        await whole.accounts.create_user(name, PASSWORD)
        (tmp_path / name).mkdir()
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        client = nio.AsyncClient(address, f"@{name}:test.example", store_path=str(tmp_path / name), config=config)
        answer = await client.login(PASSWORD)
        assert isinstance(answer, nio.LoginResponse)
        clients.append(client)
    hana, taro = clients
    try:
        await talk(hana, taro)
    finally:
        for client in clients:
            await client.close()


async def talk(hana: nio.AsyncClient, taro: nio.AsyncClient) -> None:
    encryption = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    room = await hana.room_create(invite=[taro.user_id], initial_state=[encryption])
    assert isinstance(room, nio.RoomCreateResponse)
    for client in (hana, taro):
        await client.sync()
        if client.should_upload_keys:
            assert isinstance(await client.keys_upload(), nio.KeysUploadResponse)
    assert isinstance(await taro.join(room.room_id), nio.JoinResponse)
    for client in (taro, hana, taro, hana):
        await client.sync()
        if client.should_query_keys:
            assert isinstance(await client.keys_query(), nio.KeysQueryResponse)
    heard: list[str] = []
    taro.add_event_callback(lambda _room, event: heard.append(event.body), nio.RoomMessageText)
    content = {"msgtype": "m.text", "body": "回覧です"}
    sent = await hana.room_send(room.room_id, "m.room.message", content, ignore_unverified_devices=True)
    assert isinstance(sent, nio.RoomSendResponse)
    for _ in range(3):
        await taro.sync()
    assert heard == ["回覧です"]
