"""Sliding sync as Element X asks for it: the first request of somebody in many rooms, and waking those who wait."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import orjson

from benchmarks.crowd import Watch
from benchmarks.matrix_client import Json, Person, next_pos
from benchmarks.measuring import Figure, Window, cpu_ms, in_lanes, latencies_of, measured, timed
from benchmarks.scenarios.joining import HALL
from benchmarks.sizes import Sizes
from benchmarks.town import Town

_REQUIRED: Final = [
    ["m.room.name", ""], ["m.room.encryption", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"],
    ["m.room.topic", ""], ["m.room.avatar", ""], ["m.room.canonical_alias", ""], ["m.room.power_levels", ""],
    ["m.room.create", ""], ["m.room.join_rules", ""], ["m.room.history_visibility", ""], ["m.space.child", "*"],
    ["org.matrix.msc3401.call.member", "*"], ["m.room.tombstone", ""], ["m.space.parent", "*"],
    ["org.matrix.msc3672.beacon_info", "*"], ["m.fully_read", ""],
]
_EXTENSIONS: Final[Json] = {
    "account_data": {"enabled": True}, "receipts": {"enabled": True, "rooms": ["*"]}, "typing": {"enabled": True},
}
_LONG_POLL_MS = 30_000
_LANES = 16
_calls = itertools.count(1)


async def sliding_start(town: Town, sizes: Sizes) -> list[Figure]:
    """The first request of a member of many rooms: to a server at work, and to one that has just been started."""
    person = await _member_of_many_rooms(town, sizes)
    body = _request(19)
    _require_whole_answer(await person.slide(body), sizes)
    waits, window = await measured(town.server, _begin_anew(person, body, sizes.sliding_starts))
    cold = [await _first_after_restart(town, person, body) for _ in range(sizes.sliding_starts)]
    return [
        _figure("sliding_start", "first request", waits, window, warm_up=1),
        _figure("sliding_cold", "first request", [wait for wait, _ in cold], _sum([window for _, window in cold]), 0),
    ]


async def sliding_wake(town: Town, sizes: Sizes) -> list[Figure]:
    """One message to all who wait; over when everybody has it and waits again."""
    room_id = await town.room(HALL, sizes.people)
    people = await town.people(sizes.people)
    async with _waiting(town, people) as crowd:
        await _call_all(town, crowd, room_id, sizes)
        rounds = [
            await measured(town.server, _call_all(town, crowd, room_id, sizes)) for _ in range(sizes.fanout_rounds)
        ]
    waits = [seconds for round_waits, _ in rounds for seconds in round_waits]
    return [_figure("sliding_wake", "client woken", waits, _sum([window for _, window in rounds]), len(people))]


class _Crowd:
    """People with an open long poll of sliding sync each."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.watch: Watch | None = None

    async def wait_forever(self, number: int, body: bytes) -> None:
        """One person's life: begin, wait, look, wait again from the new position."""
        person = self.people[number]
        pos = next_pos(await person.slide(body))
        while True:
            answer = await person.slide(body, pos=pos, timeout_ms=_LONG_POLL_MS)
            pos = next_pos(answer)
            if self.watch is not None:
                self.watch.look(number, answer)


@asynccontextmanager
async def _waiting(town: Town, people: Sequence[Person]) -> AsyncIterator[_Crowd]:
    crowd, body = _Crowd(people), _request(10_000)
    async with asyncio.TaskGroup() as lives:
        tasks = [lives.create_task(crowd.wait_forever(number, body)) for number in range(len(people))]
        await town.server.settle(patience_s=60.0)
        yield crowd
        for task in tasks:
            task.cancel()
    for person in people:
        await person.waiting.close()


async def _call_all(town: Town, crowd: _Crowd, room_id: str, sizes: Sizes) -> list[float]:
    call = next(_calls)
    crowd.watch = watch = Watch(re.compile(rb"slide (%d)\." % call), 1, len(crowd.people))
    begin = time.perf_counter()
    await (await town.officer()).send(room_id, f"slide {call}.")
    if not await watch.done(sizes.patience_s):
        raise TimeoutError(f"{watch.missing} people did not get a message in {sizes.patience_s:.0f} s")
    return watch.seconds_since(begin)


async def _member_of_many_rooms(town: Town, sizes: Sizes) -> Person:
    person = (await town.people(1, "collector"))[0]
    officer = await town.officer()
    names = [f"collection {number}" for number in range(sizes.sliding_rooms)]
    rooms = await in_lanes(_LANES, [town.room(name, 1, "collector") for name in names])
    await in_lanes(_LANES, [officer.send(room_id, "当番表を更新しました。") for room_id in rooms])
    return person


async def _begin_anew(person: Person, body: bytes, rounds: int) -> list[float]:
    return [await timed(person.slide(body)) for _ in range(rounds)]


async def _first_after_restart(town: Town, person: Person, body: bytes) -> tuple[float, Window]:
    await person.waiting.close()
    await town.server.stop()
    await town.server.start()
    waits, window = await measured(town.server, _begin_anew(person, body, 1))
    return waits[0], window


def _request(last: int) -> bytes:
    wish = {"ranges": [[0, last]], "timeline_limit": 1, "required_state": _REQUIRED}
    return orjson.dumps({"conn_id": "room-list", "lists": {"all_rooms": wish}, "extensions": _EXTENSIONS})


def _require_whole_answer(body: bytes, sizes: Sizes) -> None:
    answer = orjson.loads(body)
    count, shown = answer["lists"]["all_rooms"]["count"], len(answer["rooms"])
    if count != sizes.sliding_rooms or shown != min(20, sizes.sliding_rooms):
        raise ValueError(f"the list has {count} rooms, and {shown} are shown")


def _sum(windows: Sequence[Window]) -> Window:
    return Window(sum(window.cpu_s for window in windows), sum(window.wall_s for window in windows))


def _figure(name: str, unit: str, waits: Sequence[float], window: Window, warm_up: int) -> Figure:
    return Figure(
        name=name,
        measure="ms CPU",
        unit=unit,
        value=cpu_ms(window, len(waits)),
        count=len(waits),
        warm_up=warm_up,
        wall_s=window.wall_s,
        latencies=latencies_of(waits),
    )
