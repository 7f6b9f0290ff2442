"""One of the two is away, or both are there and hear nothing of each other: afterwards both know the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.foundation.outgoing import Outgoing, Unreachable
from tests.builders import Person
from tests.interop.sides import (
    Ours,
    Side,
    Theirs,
    all_events,
    has_heard,
    joins,
    sees_member,
    sees_state,
    state_of,
    until,
)

VERSIONS = ("10", "11", "12")


@asynccontextmanager
async def cut(ours: Ours, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The line between the two is dead."""

    async def dead(*_: Any, **__: Any) -> Any:
        raise Unreachable("the line is cut")

    with monkeypatch.context() as patch:
        patch.setattr(Outgoing, "fetch", dead)
        await ours.shut()
        yield
    await ours.listen()


async def know_the_same(hanako: Person, taro: Person, room: str) -> None:
    """Wait until the room has the same state and the same events on both servers."""

    async def same() -> bool | None:
        return True if await state_of(hanako, room) == await state_of(taro, room) else None

    async def same_past() -> bool | None:
        mine, yours = [{event["event_id"] for event in await all_events(who, room, 500)} for who in (hanako, taro)]
        return True if mine == yours else None

    await until(taro, same)
    await until(taro, same_past)


async def has_heard_all(person: Person, room: str, said: list[str]) -> None:
    """Wait until everything can be read, in order.

    Synapse drops most of what waits to be taken in, if that is more than a hundred events, and fetches it when somebody
    reads back; the first who does may find a hole.
    """

    async def look() -> bool | None:
        heard = [event["event_id"] for event in await all_events(person, room, 500)]
        found = [event_id for event_id in reversed(heard) if event_id in said]
        assert len(found) == len(set(found))
        return True if found == said else None

    await until(person, look)


async def test_synapse_is_away_and_hears_everything_once_and_in_order(ours: Ours, theirs: Theirs) -> None:
    hanako, taro = await ours.user("hanako"), await theirs.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, ours)
    await has_heard(hanako, room, await taro.says(room, "出かけます"))
    await theirs.stop()
    said = [await hanako.says(room, f"第{number}号") for number in range(120)]
    await hanako.sets(room, "m.room.topic", {"topic": "留守の間に"})
    await theirs.start()
    after = await taro.says(room, "戻りました")
    await has_heard(hanako, room, after)
    await has_heard(taro, room, said[-1])
    await sees_state(taro, room, "m.room.topic", topic="留守の間に")
    await has_heard_all(taro, room, said)
    await know_the_same(hanako, taro, room)


async def test_we_are_away_and_hear_everything(ours: Ours, theirs: Theirs) -> None:
    hanako, taro = await ours.user("hanako"), await theirs.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, ours)
    await sees_member(hanako, room, taro, "join")
    await ours.stop()
    said = [await taro.says(room, f"第{number}号") for number in range(120)]
    await taro.sets(room, "m.room.member", {"membership": "join", "displayname": "留守番"}, taro.user_id)
    await ours.start()
    hanako = ours.again(hanako)
    await has_heard(hanako, room, said[-1])
    await sees_state(hanako, room, "m.room.member", taro.user_id, displayname="留守番")
    await has_heard_all(hanako, room, said)
    await know_the_same(hanako, taro, room)


async def test_what_waits_for_synapse_waits_through_a_restart_of_ours(ours: Ours, theirs: Theirs) -> None:
    hanako, taro = await ours.user("hanako"), await theirs.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, ours)
    await sees_member(hanako, room, taro, "join")
    await theirs.stop()
    said = [await hanako.says(room, f"第{number}号") for number in range(10)]
    await ours.stop()
    await ours.start()
    hanako = ours.again(hanako)
    said += [await hanako.says(room, f"再び第{number}号") for number in range(10)]
    await theirs.start()
    await has_heard(taro, room, said[-1])
    await has_heard_all(taro, room, said)
    await know_the_same(hanako, taro, room)


async def test_both_speak_at_once(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    await hanako.sets(room, "m.room.power_levels", await _both_may_all(hanako, taro, room))
    await sees_state(taro, room, "m.room.power_levels", state_default=0)

    async def speaks(person: Person) -> list[str]:
        said = []
        for number in range(25):
            said.append(await person.says(room, f"第{number}号"))
            await person.sets(room, "m.room.topic", {"topic": f"第{number}号、{person.user_id}"})
            await person.sets(room, "jp.kairan.test", {"number": number}, person.user_id)
        return said

    mine, yours = await asyncio.gather(speaks(hanako), speaks(taro))
    await has_heard(hanako, room, yours[-1])
    await has_heard(taro, room, mine[-1])
    await has_heard(hanako, room, await taro.says(room, "おわり"))
    await has_heard(taro, room, await hanako.says(room, "おわり"))
    await know_the_same(hanako, taro, room)


async def _both_may_all(hanako: Person, taro: Person, room: str) -> dict[str, Any]:
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    return {**levels, "state_default": 0, "events": {}, "users": {**levels["users"], taro.user_id: 90}}


Act = Callable[[Person, Person, str], Awaitable[Any]]


async def _talks(person: Person, _: Person, room: str) -> None:
    for number in range(10):
        await person.says(room, f"第{number}号")
        await person.sets(room, "m.room.topic", {"topic": f"第{number}号、{person.user_id}"})


async def _closes(person: Person, other: Person, room: str) -> None:
    await _talks(person, other, room)
    levels = (await person.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert (await person.sets(room, "m.room.power_levels", {**levels, "redact": 60, "ban": 90})).status == 200
    await _talks(person, other, room)


async def _bans(person: Person, other: Person, room: str) -> None:
    await _talks(person, other, room)
    assert (await person.post(f"v3/rooms/{room}/ban", {"user_id": other.user_id})).status == 200


async def _lowers(person: Person, other: Person, room: str) -> None:
    await _talks(person, other, room)
    levels = (await person.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    changed = {**levels, "users": {**levels["users"], other.user_id: 10}, "state_default": 50}
    assert (await person.sets(room, "m.room.power_levels", changed)).status == 200
    await _talks(person, other, room)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("one", "two"), [(_talks, _talks), (_lowers, _talks), (_lowers, _closes)])
async def test_after_a_split_both_know_the_same(
    one: Act, two: Act, version: str, ours: Ours, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanako, taro = await ours.user("hanako"), await theirs.user("taro")
    room = await hanako.creates_room(preset="public_chat", room_version=version)
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    await joins(taro, room, ours)
    trust = {"users": {**levels["users"], taro.user_id: 90}, "state_default": 0, "events": {}}
    assert (await hanako.sets(room, "m.room.power_levels", {**levels, **trust})).status == 200
    await sees_state(taro, room, "m.room.power_levels", state_default=0)
    watcher, guard = await ours.user("watcher"), await theirs.user("guard")
    await joins(watcher, room)
    await joins(guard, room, ours)
    await sees_member(taro, room, watcher, "join")
    await sees_member(hanako, room, guard, "join")
    async with cut(ours, monkeypatch):
        await asyncio.gather(one(hanako, taro, room), two(taro, hanako, room))
    await _meet(watcher, guard, room)


async def _meet(watcher: Person, guard: Person, room: str) -> None:
    """Two who have not quarrelled hear each other, and then see the same."""
    await has_heard(guard, room, await watcher.says(room, "もしもし"))
    await has_heard(watcher, room, await guard.says(room, "はい"))

    async def same() -> bool | None:
        return True if await state_of(watcher, room) == await state_of(guard, room) else None

    await until(guard, same)


async def test_after_a_split_a_ban_holds_on_both(ours: Ours, theirs: Theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako, taro = await ours.user("hanako"), await theirs.user("taro")
    watcher, guard = await ours.user("watcher"), await theirs.user("guard")
    room = await hanako.creates_room(preset="public_chat")
    for person in (taro, guard, watcher):
        await joins(person, room, *([] if person is watcher else [ours]))
    await sees_member(guard, room, watcher, "join")
    await sees_member(hanako, room, guard, "join")
    async with cut(ours, monkeypatch):
        await _bans(hanako, taro, room)
        for number in range(5):
            await taro.says(room, f"まだいます{number}")
    await _meet(watcher, guard, room)
    assert (await watcher.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}"))["membership"] == "ban"
    assert "まだいます" not in str((await watcher.syncs()).texts(room))


async def test_a_room_of_many_is_joined(ours: Ours, theirs: Theirs) -> None:
    hanako, taro = await theirs.user("hanako"), await ours.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    turns = asyncio.Semaphore(8)

    async def comes() -> None:
        async with turns:
            await joins(await theirs.user("member"), room)

    await asyncio.gather(*(comes() for _ in range(150)))
    await joins(taro, room, theirs)
    await has_heard(hanako, room, await taro.says(room, "たくさんいますね"))
    await know_the_same(hanako, taro, room)
    members = (await taro.get(f"v3/rooms/{room}/joined_members"))["joined"]
    assert len(members) == 152
