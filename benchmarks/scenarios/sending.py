"""Messages accepted while nobody waits: a small room, the big room, rooms of two; and what they take on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.matrix_client import Person
from benchmarks.measuring import Figure, Window, cpu_ms, latencies_of, measured, timed
from benchmarks.scenarios.joining import HALL
from benchmarks.sizes import Sizes
from benchmarks.town import Town

CIRCLE = "circle"
"""The small room: its members are its senders."""

_TEXT = "回覧板を見ました。次の清掃の日は八時に公園の入口に集まってください。"
_WARM_UP_EACH = 3


async def send_in_circle(town: Town, sizes: Sizes) -> list[Figure]:
    """Sixteen members send at once, each one message after the other, into a room of these sixteen."""
    room_id = await town.room(CIRCLE, sizes.senders)
    return [await _send(town, "send_16", room_id, sizes.senders, sizes.circle_each)]


async def send_in_hall(town: Town, sizes: Sizes) -> list[Figure]:
    """The same sixteen senders in the room where everybody is."""
    room_id = await town.room(HALL, sizes.people)
    return [await _send(town, "send_300", room_id, sizes.senders, sizes.hall_each)]


async def private_answers(town: Town, sizes: Sizes) -> list[Figure]:
    """Everybody sends at once in their own room of two."""
    rooms = await town.private_rooms(sizes.private_people)
    people = await town.people(sizes.private_people)
    await _answer_in_own_rooms(people, rooms, 1)
    rounds = sizes.private_rounds
    waits, window = await measured(town.server, _answer_in_own_rooms(people, rooms, rounds))
    return [_figure("private_answer", "answer", waits, window, warm_up=len(people))]


async def disk(town: Town, sizes: Sizes) -> list[Figure]:
    """Bytes that the databases grow by when messages of about a hundred bytes come into the small room."""
    room_id = await town.room(CIRCLE, sizes.senders)
    people = await town.people(sizes.senders)
    await town.server.settle()
    before = town.server.stored_bytes()
    waits = await _all_send(people, room_id, sizes.disk_each)
    await town.server.settle()
    grown = town.server.stored_bytes() - before
    return [Figure(name="disk", measure="kB", unit="message", value=grown / len(waits) / 1e3, count=len(waits))]


async def _send(town: Town, name: str, room_id: str, senders: int, each: int) -> Figure:
    people = await town.people(senders)
    await _all_send(people, room_id, _WARM_UP_EACH)
    waits, window = await measured(town.server, _all_send(people, room_id, each))
    return _figure(name, "message", waits, window, warm_up=senders * _WARM_UP_EACH)


async def _all_send(people: Sequence[Person], room_id: str, each: int) -> list[float]:
    lanes = await asyncio.gather(*(_send_in_turn(person, room_id, each) for person in people))
    return [seconds for lane in lanes for seconds in lane]


async def _answer_in_own_rooms(people: Sequence[Person], rooms: Sequence[str], each: int) -> list[float]:
    pairs = zip(people, rooms, strict=True)
    lanes = await asyncio.gather(*(_send_in_turn(person, room_id, each) for person, room_id in pairs))
    return [seconds for lane in lanes for seconds in lane]


async def _send_in_turn(person: Person, room_id: str, count: int) -> list[float]:
    return [await timed(person.send(room_id, _TEXT)) for _ in range(count)]


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
