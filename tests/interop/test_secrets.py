"""Encrypted rooms: matrix-nio on both servers, with keys, device lists and messages to devices between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nio
import pytest

from tests.builders import Person
from tests.interop.sides import LONGEST_S, Side, joins, sees_member

LogIn = Callable[[Side, Person], Awaitable[nio.AsyncClient]]
ENCRYPTED = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]


@pytest.fixture
async def log_in(tmp_path: Path) -> AsyncIterator[LogIn]:
    """A client with keys of its own on a new device."""
    clients: list[nio.AsyncClient] = []

    async def start(side: Side, person: Person) -> nio.AsyncClient:
        store = tmp_path / f"store{len(clients)}"
        store.mkdir()
        config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
        client = nio.AsyncClient(side.url, person.user_id, store_path=str(store), config=config)
        clients.append(client)
        assert isinstance(await client.login(side.password), nio.LoginResponse)
        await _turn(client, 0)
        return client

    yield start
    for client in clients:
        await client.close()


async def _turn(client: nio.AsyncClient, timeout: int = 2000) -> None:
    """What a client does over and over: look for news, and keep up with keys."""
    assert isinstance(await client.sync(timeout=timeout), nio.SyncResponse)
    if client.should_upload_keys:
        assert isinstance(await client.keys_upload(), nio.KeysUploadResponse)
    if client.should_query_keys:
        assert isinstance(await client.keys_query(), nio.KeysQueryResponse)


async def _until(client: nio.AsyncClient, check: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST_S):
        await _turn(client, 0)
        while not check():
            await _turn(client)


async def _whisper(client: nio.AsyncClient, room: str, words: str) -> None:
    content = {"msgtype": "m.text", "body": words}
    answer = await client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
    assert isinstance(answer, nio.RoomSendResponse), answer


def _listen(client: nio.AsyncClient) -> list[str]:
    heard: list[str] = []
    client.add_event_callback(lambda _room, event: heard.append(event.body), nio.RoomMessageText)
    return heard


def _devices(client: nio.AsyncClient, user_id: str) -> int:
    return len(list(client.device_store.active_user_devices(user_id)))


async def test_two_talk_encrypted_and_hear_of_each_other_s_new_devices(
    here: Side, there: Side, log_in: LogIn
) -> None:
    one, two = await here.user("hanako"), await there.user("taro")
    room = await one.creates_room(preset="public_chat", initial_state=ENCRYPTED)
    await joins(two, room, here)
    await sees_member(one, room, two, "join")
    hanako, taro = await log_in(here, one), await log_in(there, two)
    heard_here, heard_there = _listen(hanako), _listen(taro)
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 1)
    await _until(taro, lambda: _devices(taro, one.user_id) == 1)

    # Keys and messages go separate ways; what comes before its key is not read. The second one finds the key there.
    await _whisper(hanako, room, "聞こえますか")
    await _until(taro, lambda: _has_key_from(taro, room, hanako))
    await _whisper(hanako, room, "秘密")
    await _until(taro, lambda: "秘密" in heard_there)
    await _whisper(taro, room, "はい")
    await _until(hanako, lambda: _has_key_from(hanako, room, taro))
    await _whisper(taro, room, "分かった")
    await _until(hanako, lambda: "分かった" in heard_here)

    telephone = await log_in(there, two)
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 2)
    heard_on_telephone = _listen(telephone)
    hanako.invalidate_outbound_session(room)
    await _whisper(hanako, room, "新しい電話にも")
    await _until(telephone, lambda: _has_key_from(telephone, room, hanako))
    await _whisper(hanako, room, "届きましたか")
    await _until(telephone, lambda: "届きましたか" in heard_on_telephone)
    await telephone.logout()
    await _until(hanako, lambda: _devices(hanako, two.user_id) == 1)


def _has_key_from(client: nio.AsyncClient, room: str, sender: nio.AsyncClient) -> bool:
    assert client.olm is not None
    assert sender.olm is not None
    session = sender.olm.outbound_group_sessions.get(room)
    sender_key = sender.olm.account.identity_keys["curve25519"]
    return session is not None and client.olm.inbound_group_store.get(room, sender_key, session.id) is not None
