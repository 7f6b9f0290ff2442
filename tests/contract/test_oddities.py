"""Requests that are odd, but not wrong, and some that are wrong in a way that every server meets."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import Person, RunningNode


@pytest.fixture
async def hanako(node: RunningNode) -> Person:
    return await node.user("hanako")


BROKEN = [
    (b'{"body": "\xff\xfe"}', "M_NOT_JSON"), (b'{"body": "\xed\xa0\x80"}', "M_NOT_JSON"), (b"{", "M_NOT_JSON"),
    (b'{"a": NaN}', "M_NOT_JSON"), (b'{"a": Infinity}', "M_NOT_JSON"), (b"[1]", "M_BAD_JSON"), (b"5", "M_BAD_JSON"),
    (b'{"a": 9007199254740992}', "M_BAD_JSON"), (b'{"a": -9007199254740992}', "M_BAD_JSON"),
    (b'{"a": 1.5}', "M_BAD_JSON"), (b'{"a": {"b": [1.0]}}', "M_BAD_JSON"), (b'{"a": 1e3}', "M_BAD_JSON"),
]


@pytest.mark.parametrize(("body", "code"), BROKEN)
async def test_json_that_no_event_can_hold_is_refused(hanako: Person, body: bytes, code: str) -> None:
    room = await hanako.creates_room()
    for path in (f"v3/rooms/{room}/send/m.room.message/1", f"v3/rooms/{room}/state/m.room.topic/"):
        assert (await hanako.put(path, body)).refusal == (400, code)


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_a_post_without_a_body_is_like_one_with_an_empty_object(hanako: Person, body: bytes) -> None:
    room = (await hanako.post("v3/createRoom", body))["room_id"]
    for path in (f"v3/join/{room}", f"v3/rooms/{room}/join", f"v3/rooms/{room}/leave", f"v3/rooms/{room}/forget"):
        assert (await hanako.post(path, body)).status == 200
    assert (await hanako.post("v3/logout", body)).status == 200


async def test_a_slash_at_the_end_makes_no_difference(hanako: Person) -> None:
    room = await hanako.creates_room(topic="夏祭り")
    for path in (f"v3/rooms/{room}/state/m.room.topic", "v3/sync", "v3/account/whoami", f"v3/rooms/{room}/members"):
        assert (await hanako.get(f"{path}/")).status == (await hanako.get(path)).status == 200
    for path in (f"v3/rooms/{room}/state/m.room.topic/", f"v3/rooms/{room}/state/m.room.topic"):
        assert (await hanako.put(path, {"topic": "盆踊り"})).status == 200


async def test_ids_in_paths_may_be_encoded_or_not(hanako: Person) -> None:
    room = await hanako.creates_room(preset="public_chat", room_alias_name="広場/a?b#c")
    said = await hanako.says(room, "x")
    for way in (room, room.replace("!", "%21"), "".join(f"%{byte:02x}" for byte in room.encode())):
        assert (await hanako.get(f"/_matrix/client/v3/rooms/{way}/event/{said.replace('$', '%24')}")).status == 200
    encoded = "%23%E5%BA%83%E5%A0%B4%2Fa%3Fb%23c%3Asakura.example"
    assert (await hanako.get(f"v3/directory/room/{encoded}"))["room_id"] == room


async def test_a_state_key_may_hold_anything(hanako: Person) -> None:
    room = await hanako.creates_room()
    for key in ("a/b", "a?b", "a b", "100%", "広場", "a%2Fb"):
        assert (await hanako.sets(room, "jp.example.kind", {"key": key}, key)).status == 200
    state = (await hanako.get(f"v3/rooms/{room}/state")).body
    kept = {event["state_key"]: event["content"]["key"] for event in state if event["type"] == "jp.example.kind"}
    assert set(kept) == {"a/b", "a?b", "a b", "100%", "広場", "a%2Fb"}
    assert all(key == value for key, value in kept.items())


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "TRACE", "PROPFIND"])
async def test_a_method_that_nobody_knows_is_405(hanako: Person, method: str) -> None:
    assert (await hanako.ask(method, "v3/createRoom")).refusal == (405, "M_UNRECOGNIZED")
    assert (await hanako.ask(method, "v3/nothing")).refusal == (404, "M_UNRECOGNIZED")


async def test_a_browser_may_ask_beforehand_about_any_path(node: RunningNode) -> None:
    for path in ("v3/sync", "v3/nothing", "v3/rooms/!a/send/m.room.message/1", "/_matrix/media/v3/upload"):
        answer = await node.ask("OPTIONS", path)
        assert answer.status in (200, 204)
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400), (b"[" * 100_000, 400), (b'{"a":"' + b"x" * 2**21 + b'"}', 413),
        (b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}", 413),
    ],
    ids=["deep", "deeper", "large", "wide"],
)
async def test_json_bombs_are_refused(hanako: Person, body: bytes, status: int) -> None:
    room = await hanako.creates_room()
    async with asyncio.timeout(60):
        answer = await hanako.put(f"v3/rooms/{room}/send/m.room.message/1", body)
    assert answer.status == status
    assert str(answer.code).startswith("M_")


async def test_what_the_content_type_says_does_not_matter(node: RunningNode, hanako: Person) -> None:
    for kind in ("text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "nonsense"):
        headers: dict[str, Any] = {"Authorization": f"Bearer {hanako.token}", "Content-Type": kind}
        url = f"/_matrix/client/v3/user/{hanako.user_id}/account_data/x"
        async with node.client.put(url, data=b'{"a": 1}', headers=headers) as answer:
            assert answer.status == 200


async def test_a_member_that_is_there_twice_counts_once(hanako: Person) -> None:
    room = await hanako.creates_room()
    answer = await hanako.put(f"v3/rooms/{room}/state/m.room.topic/", b'{"topic": "a", "topic": "b"}')
    assert answer.status in (200, 400)
    assert (await hanako.get(f"v3/rooms/{room}/state")).status == 200


@pytest.mark.parametrize("server", ["[::::]", "[1.2.3.4.]", "a:b:c", "[", "a b", ""])
async def test_what_is_no_name_of_a_server_is_asked_nothing(hanako: Person, server: str) -> None:
    place = quote(server, safe="")
    asked = [
        await hanako.get("v3/publicRooms", server=server), await hanako.post("v3/publicRooms", {}, server=server),
        await hanako.post(f"v3/join/!none:{place}", via=server), await hanako.post(f"v3/knock/%23none:{place}"),
        await hanako.get(f"v3/directory/room/%23none:{place}"), await hanako.get(f"v3/profile/@nobody:{place}"),
        await hanako.get(f"v1/media/download/{place or '%20'}/abc"),
        await hanako.get(f"v1/rooms/!none:{place}/hierarchy", via=server),
        await hanako.post("v3/keys/query", {"device_keys": {f"@nobody:{server}": []}}),
        await hanako.post("v3/keys/claim", {"one_time_keys": {f"@nobody:{server}": {"A": "signed_curve25519"}}}),
    ]
    assert all(answer.status in (200, 400, 403, 404) for answer in asked), asked
