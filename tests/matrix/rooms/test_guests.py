"""Guests: what they may do in rooms that admit them, and what they may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Person, RunningNode, settings_for

ADMITTED: dict[str, Any] = {"guest_access": "can_join"}
SHUT: dict[str, Any] = {"guest_access": "forbidden"}
REFUSED = (403, "M_GUEST_ACCESS_FORBIDDEN")


@pytest.fixture
async def open_node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A node that admits guests."""
    more = '[registration]\nmode = "open"\nallow_guests = true'
    async with RunningNode(settings_for(tmp_path, more=more)) as running:
        yield running


async def guest_of(node: RunningNode) -> Person:
    answer = await node.ask("POST", "v3/register", {}, kind="guest")
    return Person(node, answer["user_id"], answer["access_token"], answer["device_id"])


async def room_for_guests(person: Person, **more: Any) -> str:
    state = [{"type": "m.room.guest_access", "content": ADMITTED}, *more.pop("initial_state", [])]
    return await person.creates_room(preset="public_chat", initial_state=state, **more)


async def membership(person: Person, room: str, user_id: str) -> str:
    return str((await person.get(f"v3/rooms/{room}/state/m.room.member/{user_id}"))["membership"])


async def test_guests_join_rooms_that_admit_them_and_talk_there(open_node: RunningNode) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    room, shut = await room_for_guests(hanako), await hanako.creates_room(preset="public_chat")
    assert (await guest.post(f"v3/join/{shut}")).refusal == REFUSED
    await guest.joins(room)
    await guest.says(room, "こんにちは")
    assert (await hanako.syncs()).texts(room) == ["こんにちは"]
    assert (await guest.sends(shut, "m.room.message", {"body": "x"})).refusal == (403, "M_FORBIDDEN")
    assert (await guest.get("v3/joined_rooms"))["joined_rooms"] == [room]
    await guest.leaves(room)


async def test_no_back_door_lets_guests_in(open_node: RunningNode) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    room, shut = await room_for_guests(hanako), await hanako.creates_room(preset="public_chat")
    joins = {"membership": "join"}
    assert (await guest.sets(shut, "m.room.member", joins, guest.user_id)).refusal == REFUSED
    assert (await guest.sets(room, "m.room.member", joins, guest.user_id)).status == 200
    assert (await guest.get("v3/joined_rooms"))["joined_rooms"] == [room]


async def test_a_guest_may_take_a_name(open_node: RunningNode) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    room = await room_for_guests(hanako)
    await guest.joins(room)
    own = f"v3/profile/{guest.user_id}/displayname"
    assert (await guest.put(own, {"displayname": "お客"})).status == 200
    assert (await hanako.get(own))["displayname"] == "お客"
    member = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{guest.user_id}")
    assert member["displayname"] == "お客"


@pytest.mark.parametrize("shut", [SHUT, {}])
async def test_guests_leave_when_they_are_not_admitted_any_more(open_node: RunningNode, shut: dict[str, Any]) -> None:
    hanako, taro = await open_node.users("hanako", "taro")
    guest, other = await guest_of(open_node), await guest_of(open_node)
    room, elsewhere = await room_for_guests(hanako), await room_for_guests(hanako)
    for person in (taro, guest, other):
        await person.joins(room)
    await guest.joins(elsewhere)
    since = (await guest.syncs()).token
    await hanako.sets(room, "m.room.guest_access", shut)
    while True:
        heard = await guest.syncs(since, timeout=20_000)
        if room in heard.rooms("leave"):
            break
        since = heard.token
    while await membership(hanako, room, other.user_id) != "leave":
        since = (await other.syncs(since, timeout=1_000)).token
    assert await membership(hanako, room, guest.user_id) == "leave"
    assert await membership(hanako, room, taro.user_id) == "join"
    assert await membership(hanako, elsewhere, guest.user_id) == "join"
    assert (await guest.post(f"v3/join/{room}")).refusal == REFUSED


async def test_guests_read_what_all_the_world_may_read(open_node: RunningNode) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    world = {"type": "m.room.history_visibility", "content": {"history_visibility": "world_readable"}}
    room, shared = await room_for_guests(hanako, initial_state=[world]), await room_for_guests(hanako)
    event = await hanako.says(room, "für alle")
    await hanako.says(shared, "für uns")
    page = await guest.get(f"v3/rooms/{room}/messages", dir="b", limit="1")
    assert [item["event_id"] for item in page["chunk"]] == [event]
    for path in (f"event/{event}", f"context/{event}", "state", "state/m.room.create", "members", "aliases"):
        assert (await guest.get(f"v3/rooms/{room}/{path}")).status == 200, path
    for path in ("messages?dir=b", "state", "state/m.room.create", "members", "aliases"):
        assert (await guest.get(f"v3/rooms/{shared}/{path}")).refusal == (403, "M_FORBIDDEN"), path
    assert (await guest.get("v3/publicRooms")).status == 200
    assert (await guest.get(f"v1/room_summary/{room}")).status == 200
    assert (await guest.get(f"v1/rooms/{room}/hierarchy")).status == 200


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "v3/createRoom"), ("POST", "v3/rooms/{room}/invite"), ("POST", "v3/rooms/{room}/kick"),
    ("POST", "v3/rooms/{room}/ban"), ("POST", "v3/knock/{room}"), ("POST", "v3/rooms/{room}/upgrade"),
    ("PUT", "v3/directory/room/%23x:sakura.example"), ("PUT", "v3/directory/list/room/{room}"),
    ("POST", "v3/user_directory/search"), ("POST", "v3/search"), ("POST", "v3/rooms/{room}/report"),
    ("GET", "v1/mutual_rooms"), ("PUT", "v3/rooms/{room}/redact/$x/1"), ("GET", "v1/rooms/{room}/threads"),
    ("GET", "v1/rooms/{room}/timestamp_to_event"), ("DELETE", "v3/directory/room/%23x:sakura.example"),
])
async def test_most_things_are_not_for_guests(open_node: RunningNode, method: str, path: str) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    room = await room_for_guests(hanako)
    await guest.joins(room)
    body: Any = None if method == "GET" else {}
    assert (await guest.ask(method, path.replace("{room}", room), body)).refusal == REFUSED


async def test_where_no_guests_are_allowed_nobody_becomes_one(node: RunningNode) -> None:
    assert (await node.ask("POST", "v3/register", {}, kind="guest")).refusal == REFUSED


async def test_guests_encrypt_and_name_their_device(open_node: RunningNode) -> None:
    hanako, guest = await open_node.user("hanako"), await guest_of(open_node)
    assert (await guest.post("v3/keys/upload", {})).status == 200
    assert (await guest.post("v3/keys/query", {"device_keys": {hanako.user_id: []}})).status == 200
    assert (await guest.post("v3/keys/claim", {"one_time_keys": {}})).status == 200
    messages = {"messages": {hanako.user_id: {"*": {"a": 1}}}}
    assert (await guest.put("v3/sendToDevice/m.test/1", messages)).status == 200
    assert [event["content"] for event in (await hanako.syncs()).body["to_device"]["events"]] == [{"a": 1}]
    own = f"v3/devices/{guest.device_id}"
    assert (await guest.put(own, {"display_name": "図書館の端末"})).status == 200
    assert (await guest.get(own))["display_name"] == "図書館の端末"
