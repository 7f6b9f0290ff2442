"""Rooms that a client has upgraded event by event: what was set about the old one is found in the new one."""

from __future__ import annotations

from typing import Any

import pytest

from server.rooms.successor_store import moves_left
from tests.builders import Person, RunningNode

HALL = "v3/directory/room/%23hall:sakura.example"


async def upgrades_by_hand(person: Person, old: str, *, end_of: str | None = None) -> str:
    """As bots and old clients do it: a room that names its predecessor, then a tombstone that names the room."""
    created = {"predecessor": {"room_id": old, "event_id": "$any"}}
    new = await person.creates_room(preset="public_chat", creation_content=created)
    tombstone = {"body": "gone", "replacement_room": new}
    assert (await person.sets(end_of or old, "m.room.tombstone", tombstone)).status == 200
    return new


async def tags(person: Person, room: str) -> dict[str, Any]:
    return dict((await person.get(f"v3/user/{person.user_id}/rooms/{room}/tags"))["tags"])


async def test_who_joins_the_successor_finds_tags_direct_chats_names_and_the_list(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    old = await hanako.creates_room(visibility="public", room_alias_name="hall")
    await taro.joins(old)
    own = f"v3/user/{taro.user_id}"
    await taro.put(f"{own}/rooms/{old}/tags/m.favourite", {"order": 0.5})
    await taro.put(f"{own}/account_data/m.direct", {hanako.user_id: [old]})
    new = await upgrades_by_hand(hanako, old)
    assert (await taro.get("v3/publicRooms"))["chunk"] == []
    assert await tags(taro, new) == {}
    since = (await taro.syncs()).token
    await taro.joins(new)
    while await tags(taro, new) != {"m.favourite": {"order": 0.5}}:
        since = (await taro.syncs(since, timeout=1_000)).token
    while (await taro.get(f"{own}/account_data/m.direct"))[hanako.user_id] != [old, new]:
        since = (await taro.syncs(since, timeout=1_000)).token
    while [room["room_id"] for room in (await taro.get("v3/publicRooms"))["chunk"]] != [new]:
        since = (await taro.syncs(since, timeout=100)).token
    assert (await jiro.get(HALL))["room_id"] == new
    await node.restart()
    assert [room["room_id"] for room in (await taro.get("v3/publicRooms"))["chunk"]] == [new]


async def test_a_room_that_only_claims_to_be_a_successor_gets_nothing(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    old, other = await hanako.creates_room(preset="public_chat", room_alias_name="hall"), await jiro.creates_room()
    await taro.joins(old)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{old}/tags/m.favourite", {})
    new = await upgrades_by_hand(jiro, old, end_of=other)
    await taro.joins(new)
    await taro.syncs()
    right = await upgrades_by_hand(hanako, old)
    since = (await taro.syncs()).token
    await taro.joins(right)
    while await tags(taro, right) != {"m.favourite": {}}:
        since = (await taro.syncs(since, timeout=1_000)).token
    assert await tags(taro, new) == {}
    while (await taro.get(HALL))["room_id"] != right:
        since = (await taro.syncs(since, timeout=100)).token


async def test_who_comes_back_finds_what_they_have_set_since(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat")
    await taro.joins(old)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{old}/tags/m.favourite", {})
    new = await upgrades_by_hand(hanako, old)
    since = (await taro.syncs()).token
    await taro.joins(new)
    while await tags(taro, new) != {"m.favourite": {}}:
        since = (await taro.syncs(since, timeout=1_000)).token
    await taro.delete(f"v3/user/{taro.user_id}/rooms/{new}/tags/m.favourite")
    await taro.leaves(new)
    await taro.joins(new)
    assert await tags(taro, new) == {}


async def test_what_a_crash_has_interrupted_is_done_at_the_next_start(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat", room_alias_name="hall")
    await taro.joins(old)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{old}/tags/m.favourite", {})
    new = await upgrades_by_hand(hanako, old)
    since = (await taro.syncs()).token
    tasks = node.inside.core.tasks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "start", lambda name, work: work.close())  # the node ends before any task begins
        await taro.joins(new)
    assert await tags(taro, new) == {}
    await node.restart()
    while await tags(taro, new) != {"m.favourite": {}}:
        since = (await taro.syncs(since, timeout=1_000)).token
    while (await taro.get(HALL))["room_id"] != new:
        since = (await taro.syncs(since, timeout=100)).token
    while await moves_left(node.inside.core.database):
        since = (await taro.syncs(since, timeout=100)).token
