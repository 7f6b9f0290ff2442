"""Whoever is told of changed rooms alone hears the same as whoever has all rooms looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import ROOM_LIST_EXTENSIONS, Device, all_rooms, opened, state_of, texts

Json = dict[str, Any]

ENCRYPTION: Json = {"algorithm": "m.megolm.v1.aes-sha2"}


def _heard(answer: Json) -> Json:
    rooms = {
        room_id: {
            **{name: value for name, value in told.items() if name not in ("timeline", "required_state", "prev_batch")},
            "texts": texts(told), "state": {key: event["event_id"] for key, event in state_of(told).items()},
        }
        for room_id, told in answer["rooms"].items()
    }
    return {"rooms": rooms, "lists": answer["lists"], "extensions": answer["extensions"]}


ACTS = ("say", "say", "topic", "leave", "join", "read", "type", "tag", "direct", "encrypt", "invite", "kick", "nothing")


@given(
    acts=st.lists(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=3), max_size=6),
    last=st.sampled_from([0, 1, 19]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_ways_tell_the_same(node: RunningNode, acts: list[list[tuple[str, int]]], last: int) -> None:
    hanako, taro = await node.users("hanako", "taro")
    rooms = [await hanako.creates_room(preset="public_chat", name=str(number)) for number in range(4)]
    for room in rooms[:3]:
        await taro.joins(room)
    filters: Json = {"is_encrypted": False}
    short = Device(taro, "short", lists=all_rooms(last, **filters), extensions=ROOM_LIST_EXTENSIONS)
    long = Device(taro, "long", lists=all_rooms(last, **filters, not_tags=["u.none"]), extensions=ROOM_LIST_EXTENSIONS)
    for step in [[], *acts]:
        for act, number in step:
            await DO[act](hanako, taro, rooms[number])
        assert _heard(await short.syncs()) == _heard(await long.syncs())


async def test_a_room_one_was_put_out_of_leaves_the_list_where_its_filter_says_so(
    hall: tuple[Person, Person, str],
) -> None:
    hanako, taro, room = hall
    device = Device(taro, lists=all_rooms(is_encrypted=False))
    await device.syncs()
    await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})
    assert (await device.syncs())["lists"]["all_rooms"]["count"] == 1
    await hanako.sets(room, "m.room.encryption", ENCRYPTION)
    own = await taro.creates_room()
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 1
    assert set(answer["rooms"]) == {own}


async def _read(hanako: Person, taro: Person, room: str) -> None:
    await taro.reads(room, await hanako.says(room, "read me"))


DO: dict[str, Callable[[Person, Person, str], Awaitable[object]]] = {
    "say": lambda hanako, _taro, room: hanako.says(room, "hello"),
    "topic": lambda hanako, _taro, room: hanako.sets(room, "m.room.topic", {"topic": "x"}),
    "leave": lambda _hanako, taro, room: taro.post(f"v3/rooms/{room}/leave"),
    "join": lambda _hanako, taro, room: taro.post(f"v3/join/{room}"),
    "read": _read,
    "type": lambda hanako, _taro, room: hanako.put(
        f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True, "timeout": 9_000}
    ),
    "tag": lambda _hanako, taro, room: taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.favourite", {}),
    "direct": lambda hanako, taro, room: taro.put(
        f"v3/user/{taro.user_id}/account_data/m.direct", {hanako.user_id: [room]}
    ),
    "encrypt": lambda hanako, _taro, room: hanako.sets(room, "m.room.encryption", ENCRYPTION),
    "invite": lambda hanako, taro, room: hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id}),
    "kick": lambda hanako, taro, room: hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id}),
    "nothing": lambda hanako, _taro, _room: hanako.get("v3/joined_rooms"),
}


async def test_a_message_elsewhere_wakes_nobody_who_looks_at_one_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    seen, unseen = [await hanako.creates_room(preset="public_chat") for _ in range(2)]
    for room in (seen, unseen):
        await taro.joins(room)
    device = Device(taro, lists={}, room_subscriptions=opened(seen))
    await device.syncs()
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    await hanako.says(unseen, "not for this list")
    await hanako.says(seen, "hello")
    assert set((await asyncio.wait_for(waiting, 20))["rooms"]) == {seen}


async def test_a_room_that_becomes_encrypted_changes_lists(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro, lists=all_rooms(is_encrypted=True))
    assert (await device.syncs())["lists"]["all_rooms"]["count"] == 0
    await hanako.says(room, "in clear")
    assert (await device.syncs())["rooms"] == {}
    await hanako.sets(room, "m.room.encryption", ENCRYPTION)
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 1
    assert answer["rooms"][room]["initial"] is True
