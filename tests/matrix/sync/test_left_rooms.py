"""Rooms that one has left, or was put out of, in every kind of answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Person, RunningNode

ARCHIVE: dict[str, Any] = {"room": {"include_leave": True, "timeline": {"limit": 1}}}


async def puts_out(hanako: Person, taro: Person, room: str, how: str) -> None:
    if how == "leave":
        await taro.leaves(room)
    else:
        assert (await hanako.post(f"v3/rooms/{room}/{how}", {"user_id": taro.user_id})).status == 200


@pytest.mark.parametrize("how", ["leave", "kick", "ban"])
async def test_old_and_new_rooms_of_the_past_are_in_an_answer_of_the_whole_state(node: RunningNode, how: str) -> None:
    hanako, taro = await node.users("hanako", "taro")
    rooms = [await hanako.creates_room(preset="public_chat", name=str(number)) for number in range(3)]
    for room in rooms:
        await taro.joins(room)
    await puts_out(hanako, taro, rooms[0], how)
    since = (await taro.syncs(wanted=ARCHIVE)).token
    await puts_out(hanako, taro, rooms[1], how)
    assert set((await taro.syncs(since)).rooms("leave")) == {rooms[1]}
    assert set((await taro.syncs(since, full_state="true")).rooms("leave")) == {rooms[1]}
    whole = await taro.syncs(since, full_state="true", wanted=ARCHIVE)
    assert set(whole.rooms("leave")) == set(rooms[:2])
    assert whole.state(rooms[0], "leave")["m.room.name", ""]["content"] == {"name": "0"}
    assert set(whole.rooms()) == {rooms[2]}
    assert set((await taro.syncs(wanted=ARCHIVE)).rooms("leave")) == set(rooms[:2])
    assert (await taro.syncs(full_state="true")).rooms("leave") == {}


async def test_account_data_of_a_left_room_comes_with_it(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.lowpriority", {"order": 0.5})
    await taro.leaves(room)
    archived = (await taro.syncs(wanted=ARCHIVE)).room(room, "leave")
    assert archived["account_data"]["events"] == [
        {"type": "m.tag", "content": {"tags": {"m.lowpriority": {"order": 0.5}}}}
    ]


async def test_a_left_room_brings_only_who_speaks_where_members_are_lazy(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat", name="x")
    for person in (taro, jiro):
        await person.joins(room)
    await hanako.says(room, "x")
    await taro.leaves(room)
    wanted = {"room": {"include_leave": True, "timeline": {"limit": 2}, "state": {"lazy_load_members": True}}}
    state = (await taro.syncs(wanted=wanted)).state(room, "leave")
    assert {key for kind, key in state if kind == "m.room.member"} == {hanako.user_id, taro.user_id}


async def test_a_forgotten_room_is_in_no_answer(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.leaves(room)
    assert (await taro.post(f"v3/rooms/{room}/forget")).status == 200
    assert (await taro.syncs(wanted=ARCHIVE)).rooms("leave") == {}
    await taro.joins(room)
    assert room in (await taro.syncs()).rooms()


async def test_that_a_forgotten_room_was_left_is_told_once_to_devices_that_knew_it(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    since = (await taro.syncs()).token
    await hanako.says(room, "secret")
    await taro.leaves(room)
    assert (await taro.post(f"v3/rooms/{room}/forget")).status == 200
    for _ in range(2):
        told = await taro.syncs(since)
        (gone,) = told.timeline(room, "leave")
        assert gone["content"]["membership"] == "leave"
        assert told.body["device_lists"]["left"] == [hanako.user_id]
        assert (await taro.syncs(told.token)).rooms("leave") == {}
        await node.restart()
