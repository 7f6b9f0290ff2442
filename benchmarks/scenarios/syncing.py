"""Syncs without waiting: nothing new, and the first sync of a new device."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from benchmarks.matrix_client import Json, Person, next_batch
from benchmarks.measuring import Figure, Window, cpu_ms, in_lanes, latencies_of, measured, timed
from benchmarks.scenarios.joining import HALL
from benchmarks.scenarios.sending import CIRCLE
from benchmarks.sizes import Sizes
from benchmarks.town import Town

_LONG_TIMELINE: Json = {"room": {"timeline": {"limit": 50}}}
_READERS_AT_ONCE = 4
_WARM_UP_EACH = 10


async def empty_sync(town: Town, sizes: Sizes) -> list[Figure]:
    """Sixteen people who are up to date ask whether there is anything new, without waiting."""
    await town.room(CIRCLE, sizes.senders)
    await town.room(HALL, sizes.people)
    people = await town.people(sizes.senders)
    await in_lanes(sizes.senders, [person.catch_up("") for person in people])
    await _ask_for_news(people, _WARM_UP_EACH)
    waits, window = await measured(town.server, _ask_for_news(people, sizes.empty_each))
    return [_figure("empty_sync", waits, window, warm_up=len(people) * _WARM_UP_EACH)]


async def initial_sync(town: Town, sizes: Sizes) -> list[Figure]:
    """The first sync of people with twenty rooms, with the default filter and with fifty messages a room."""
    people = await _readers_of_many_rooms(town, sizes)
    long_filters = [await person.filter_id(_LONG_TIMELINE) for person in people]
    _require_whole_answer(await people[0].sync(filter_id=long_filters[0]), sizes)
    figures = []
    for name, filters in (("initial_sync", [""] * len(people)), ("initial_sync_50", long_filters)):
        await _sync_anew(people, filters, 1)
        waits, window = await measured(town.server, _sync_anew(people, filters, sizes.initial_rounds))
        figures.append(_figure(name, waits, window, warm_up=len(people)))
    return figures


async def _ask_for_news(people: Sequence[Person], each: int) -> list[float]:
    lanes = await asyncio.gather(*(_ask_in_turn(person, each) for person in people))
    return [seconds for lane in lanes for seconds in lane]


async def _ask_in_turn(person: Person, count: int) -> list[float]:
    return [await timed(person.catch_up("")) for _ in range(count)]


async def _readers_of_many_rooms(town: Town, sizes: Sizes) -> list[Person]:
    people = await town.people(sizes.readers, "reader")
    for number in range(sizes.rooms):
        room_id = await town.room(f"reading room {number}", sizes.readers, "reader")
        texts = range(sizes.messages_a_room)
        await in_lanes(8, [people[text % len(people)].send(room_id, f"当番は{text}班です。") for text in texts])
    return people


async def _sync_anew(people: Sequence[Person], filters: Sequence[str], rounds: int) -> list[float]:
    pairs = list(zip(people, filters, strict=True)) * rounds
    return await in_lanes(_READERS_AT_ONCE, [timed(person.sync(filter_id=chosen)) for person, chosen in pairs])


def _require_whole_answer(body: bytes, sizes: Sizes) -> None:
    next_batch(body)
    rooms = orjson.loads(body)["rooms"]["join"]
    shortest = min(len(room["timeline"]["events"]) for room in rooms.values())
    if len(rooms) != sizes.rooms or shortest < min(50, sizes.messages_a_room):
        raise ValueError(f"the first sync has {len(rooms)} rooms, one with only {shortest} events")


def _figure(name: str, waits: Sequence[float], window: Window, warm_up: int) -> Figure:
    return Figure(
        name=name,
        measure="ms CPU",
        unit="sync",
        value=cpu_ms(window, len(waits)),
        count=len(waits),
        warm_up=warm_up,
        wall_s=window.wall_s,
        latencies=latencies_of(waits),
    )
