"""What was there before /sync: initialSync, events, and looking into a room that all the world may read."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import Person, RunningNode

WORLD = [{"type": "m.room.history_visibility", "content": {"history_visibility": "world_readable"}}]


@pytest.fixture
async def square(node: RunningNode) -> tuple[Person, Person, str]:
    """Hanako's room that all the world may read; Jiro looks on."""
    hanako, jiro = await node.users("hanako", "jiro")
    return hanako, jiro, await hanako.creates_room(preset="public_chat", initial_state=WORLD, visibility="public")


async def test_a_room_is_told_as_it_is(square: tuple[Person, Person, str]) -> None:
    hanako, jiro, room = square
    for text in ("1", "2", "3"):
        await hanako.says(room, text)
    await hanako.put(f"v3/user/{hanako.user_id}/rooms/{room}/account_data/x.y", {"z": 1})
    found = await hanako.get(f"v3/rooms/{room}/initialSync", limit="2")
    assert [event["content"]["body"] for event in found["messages"]["chunk"]] == ["2", "3"]
    assert (found["membership"], found["visibility"], found["room_id"]) == ("join", "public", room)
    assert {"m.room.create", "m.room.member"} <= {event["type"] for event in found["state"]}
    assert found["account_data"] == [{"type": "x.y", "content": {"z": 1}}]
    earlier = await hanako.get(f"v3/rooms/{room}/messages", dir="b", **{"from": found["messages"]["start"]})
    assert earlier["chunk"][0]["content"]["body"] == "1"
    looked = await jiro.get(f"v3/rooms/{room}/initialSync")
    assert "membership" not in looked.body
    assert looked["messages"]["chunk"][-1]["content"]["body"] == "3"


async def test_a_room_that_was_left_is_told_as_it_was(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", name="before")
    await taro.joins(room)
    await hanako.says(room, "inside")
    await taro.leaves(room)
    await hanako.says(room, "after")
    await hanako.sets(room, "m.room.name", {"name": "after"})
    found = await taro.get(f"v3/rooms/{room}/initialSync")
    assert found["membership"] == "leave"
    assert "after" not in str(found.body)


async def test_strangers_are_told_nothing(node: RunningNode) -> None:
    hanako, jiro = await node.users("hanako", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    event_id = await hanako.says(room, "x")
    assert (await jiro.get(f"v3/rooms/{room}/initialSync")).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get("v3/events", room_id=room)).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get(f"v3/events/{event_id}")).refusal == (404, "M_NOT_FOUND")
    assert (await jiro.get("v3/events/$nothing")).refusal == (404, "M_NOT_FOUND")
    assert (await jiro.get("v3/events", **{"from": "nonsense"})).refusal == (400, "M_INVALID_PARAM")


async def test_one_looks_on_without_being_in(square: tuple[Person, Person, str]) -> None:
    hanako, jiro, room = square
    start = (await jiro.get("v3/events", room_id=room))["end"]
    waiting = asyncio.ensure_future(jiro.get("v3/events", room_id=room, timeout="10000", **{"from": start}))
    event_id = await hanako.says(room, "x")
    found = await waiting
    assert [event["event_id"] for event in found["chunk"]] == [event_id]
    assert (await jiro.get("v3/events", room_id=room, **{"from": found["end"]}))["chunk"] == []
    assert (await jiro.sends(room, "m.room.message", {"body": "x"})).status == 403


async def test_the_first_and_the_following_events_of_ones_own_rooms(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    other = await hanako.creates_room()
    await hanako.invites(taro, other)
    await taro.joins(room)
    await hanako.says(room, "1")
    first = await taro.get("v3/initialSync", limit="1")
    rooms = {found["room_id"]: found for found in first["rooms"]}
    assert (rooms[room]["membership"], rooms[other]["membership"]) == ("join", "invite")
    assert [event["content"]["body"] for event in rooms[room]["messages"]["chunk"]] == ["1"]
    assert rooms[other]["invite"]["content"]["membership"] == "invite"
    waiting = asyncio.ensure_future(taro.get("v3/events", timeout="10000", **{"from": first["end"]}))
    event_id = await hanako.says(room, "2")
    found = await waiting
    assert [(event["event_id"], event["room_id"]) for event in found["chunk"] if "event_id" in event] == [
        (event_id, room)
    ]
    assert (await taro.get(f"v3/events/{event_id}"))["room_id"] == room
    await taro.leaves(room)
    assert room not in str((await taro.get("v3/initialSync")).body)
    assert room in str((await taro.get("v3/initialSync", archived="true")).body)
