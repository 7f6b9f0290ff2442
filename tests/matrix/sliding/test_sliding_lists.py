"""Lists of sliding sync: windows, order, filters by name, tag and space, and their limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import PATH, Device, Json, all_rooms, opened
from tests.matrix.sliding.merged import MergedDevice, one_list

BUMPS = (
    "m.room.message", "m.room.encrypted", "m.sticker", "m.call.invite", "m.poll.start",
    "org.matrix.msc3381.poll.start", "m.beacon_info", "org.matrix.msc3672.beacon_info",
)


async def shown(person: Person, **filters: Any) -> set[str]:
    """The rooms of a list, which both dialects must show alike."""
    deployed = await Device(person).syncs(lists=all_rooms(100, **filters))
    merged = await MergedDevice(person).syncs(lists=one_list(**filters))
    assert set(deployed["rooms"]) == set(merged["rooms"])
    return set(deployed["rooms"])


@pytest.fixture
async def three(node: RunningNode) -> tuple[Person, list[str]]:
    taro = await node.user("taro")
    rooms = [await taro.creates_room(name=name) for name in ("Garden Club", "Kitchen", "公園の掃除")]
    await taro.put(f"v3/user/{taro.user_id}/rooms/{rooms[0]}/tags/m.favourite", {"order": 0.5})
    await taro.put(f"v3/user/{taro.user_id}/rooms/{rooms[1]}/tags/m.lowpriority", {})
    await taro.put(f"v3/user/{taro.user_id}/rooms/{rooms[1]}/tags/m.favourite", {})
    return taro, rooms


async def test_rooms_are_found_by_tags(three: tuple[Person, list[str]]) -> None:
    taro, rooms = three
    assert await shown(taro, tags=["m.favourite"]) == {rooms[0], rooms[1]}
    assert await shown(taro, tags=["m.favourite"], not_tags=["m.lowpriority"]) == {rooms[0]}
    assert await shown(taro, not_tags=["m.favourite"]) == {rooms[2]}
    assert await shown(taro, tags=[]) == set()
    await taro.delete(f"v3/user/{taro.user_id}/rooms/{rooms[0]}/tags/m.favourite")
    assert await shown(taro, tags=["m.favourite"]) == {rooms[1]}


async def test_rooms_are_found_by_a_piece_of_their_name(three: tuple[Person, list[str]], node: RunningNode) -> None:
    taro, rooms = three
    for _ in range(2):
        assert await shown(taro, room_name_like="garden") == {rooms[0]}
        assert await shown(taro, room_name_like="公園") == {rooms[2]}
        assert await shown(taro, room_name_like="nothing") == set()
        assert await shown(taro, room_name_like="") == set(rooms)
        await node.restart()


async def test_a_list_follows_the_tags(three: tuple[Person, list[str]]) -> None:
    taro, rooms = three
    device = Device(taro, lists=all_rooms(tags=["u.work"]))
    assert (await device.syncs())["lists"]["all_rooms"]["count"] == 0
    await taro.put(f"v3/user/{taro.user_id}/rooms/{rooms[2]}/tags/u.work", {})
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 1
    assert set(answer["rooms"]) == {rooms[2]}


async def test_spaces_count_only_for_those_who_are_in_them(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await taro.creates_room(preset="public_chat")
    space = await hanako.creates_room(creation_content={"type": "m.space"}, preset="public_chat")
    await hanako.sets(space, "m.space.child", {"via": ["sakura.example"]}, room)
    assert await shown(taro, spaces=[space, "!unknown:x", "nonsense"]) == set()
    await taro.joins(space)
    assert await shown(taro, spaces=[space, "!unknown:x"]) == {room}
    await hanako.sets(space, "m.space.child", {}, room)
    assert await shown(taro, spaces=[space]) == set()


async def test_windows_beyond_the_list_are_empty_or_shorter(three: tuple[Person, list[str]]) -> None:
    taro, rooms = three

    async def seen(*ranges: list[int]) -> set[str]:
        wish = {"ranges": list(ranges), "timeline_limit": 0, "required_state": []}
        answer = await Device(taro, str(ranges)[:20]).syncs(lists={"a": wish})
        assert answer["lists"]["a"]["count"] == 3
        return set(answer["rooms"])

    assert await seen([3, 9]) == set()
    assert await seen([2, 2**40]) == {rooms[0]}
    assert await seen([0, 0], [2, 2]) == {rooms[2], rooms[0]}
    assert await seen([0, 1], [1, 2]) == set(rooms)
    assert await seen() == set()


async def test_a_list_without_a_window_shows_everything(three: tuple[Person, list[str]]) -> None:
    taro, rooms = three
    wish = {"timeline_limit": 0, "required_state": []}
    assert set((await Device(taro).syncs(lists={"a": wish}))["rooms"]) == set(rooms)
    assert set((await MergedDevice(taro).syncs(lists=one_list(None)))["rooms"]) == set(rooms)


async def test_a_window_that_is_not_at_the_top_moves_with_the_list(three: tuple[Person, list[str]]) -> None:
    taro, rooms = three
    wish = {"ranges": [[1, 1]], "timeline_limit": 1, "required_state": []}
    device = Device(taro, lists={"a": wish})
    assert set((await device.syncs())["rooms"]) == {rooms[1]}
    await taro.says(rooms[0], "up")
    assert set((await device.syncs())["rooms"]) == {rooms[2]}
    await taro.says(rooms[1], "up")
    assert set((await device.syncs())["rooms"]) == {rooms[0]}


async def test_whoever_grows_the_window_gets_every_room_once(node: RunningNode) -> None:
    taro = await node.user("taro")
    rooms = [await taro.creates_room(name=str(number)) for number in range(12)]
    device = Device(taro, lists=all_rooms(3))
    seen: list[str] = []
    for last in (3, 7, 11, 19):
        answer = await device.syncs(lists=all_rooms(last))
        assert answer["lists"]["all_rooms"]["count"] == 12
        seen += answer["rooms"]
    assert sorted(seen) == sorted(rooms)
    await taro.says(rooms[0], "hello")
    assert set((await device.syncs())["rooms"]) == {rooms[0]}


@pytest.mark.parametrize("kind", [*BUMPS, "m.reaction", "org.example.custom"])
async def test_messages_polls_and_calls_bring_a_room_up(hall: tuple[Person, Person, str], kind: str) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    before = (await device.syncs())["rooms"][room]["bump_stamp"]
    await hanako.sends(room, kind, {"body": "x"})
    after = (await device.syncs())["rooms"][room].get("bump_stamp", before)
    assert (after > before) is (kind in BUMPS)


async def test_pinned_messages_come_where_they_are_asked_for(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.sets(room, "m.room.pinned_events", {"pinned": ["$a"]})
    device = Device(taro)
    assert ("m.room.pinned_events", "") not in {
        (event["type"], event["state_key"]) for event in (await device.syncs())["rooms"][room]["required_state"]
    }
    told = (await device.syncs(room_subscriptions=opened(room)))["rooms"][room]
    assert [event["content"] for event in told["required_state"] if event["type"] == "m.room.pinned_events"] == [
        {"pinned": ["$a"]}
    ]


async def test_threads_are_counted_apart_where_the_dialect_says_so(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    root = await hanako.says(room, "root")
    await hanako.says(room, "in it", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    assert (await Device(taro).syncs())["rooms"][room]["notification_count"] == 2
    assert (await MergedDevice(taro).syncs())["rooms"][room]["notification_count"] == 1


GOOD: Json = {"timeline_limit": 1, "required_state": []}


@pytest.mark.parametrize("body", [
    {"lists": {"a": {**GOOD, "ranges": [[0, 1]] * 101}}},
    {"lists": {"a": {**GOOD, "required_state": [["a", ""]] * 1001}}},
    {"lists": {"a" * 256: GOOD}}, {"room_subscriptions": {f"!{number}:x": GOOD for number in range(1001)}},
    {"lists": {"a": {**GOOD, "filters": {"spaces": ["!a:b"] * 1001}}}},
    {"extensions": {"typing": {"enabled": True, "lists": ["a"] * 1001}}},
])
async def test_too_much_is_refused(node: RunningNode, body: Json) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post(PATH, body)).refusal == (400, "M_INVALID_PARAM")
