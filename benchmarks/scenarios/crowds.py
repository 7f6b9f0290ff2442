"""What counts in an earthquake: everybody waits on /sync, and then something is said to all, or by all."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from dataclasses import replace
from statistics import median

from benchmarks.crowd import Crowd, Watch, waiting_crowd
from benchmarks.measuring import Figure, Latencies, Window, cpu_ms, latencies_of, measured, timed
from benchmarks.scenarios.joining import HALL
from benchmarks.sizes import Sizes
from benchmarks.town import Town

_BIG_CROWD = 1500
_QUIET_CROWD = 2000
_RECEIPT_OF = re.compile(rb'"(@[^"]+)"\s*:\s*\{')
_calls = itertools.count(1)


async def fan_out(town: Town, sizes: Sizes) -> list[Figure]:
    """One message to all who wait; over when everybody has it and waits again."""
    room_id = await town.room(HALL, sizes.people)
    people = await town.people(sizes.people)
    async with waiting_crowd(town.server, people) as crowd:
        memory = _memory(town, "memory_polling", sizes.people)
        await _broadcast(town, crowd, room_id, sizes.patience_s)
        rounds = [await _broadcast(town, crowd, room_id, sizes.patience_s) for _ in range(sizes.fanout_rounds)]
    waits = [seconds for round_waits, _ in rounds for seconds in round_waits]
    last = median(max(round_waits) for round_waits, _ in rounds)
    window = _sum([window for _, window in rounds])
    figure = _cpu_figure("fan_out", "client woken", len(waits), window, latencies_of(waits, last))
    return [memory, replace(figure, warm_up=len(people), note="last: median of the rounds")]


async def receipts(town: Town, sizes: Sizes) -> list[Figure]:
    """Everybody reads the same message; over when everybody has seen who has read it."""
    room_id = await town.room(HALL, sizes.people)
    people = await town.people(sizes.people)
    async with waiting_crowd(town.server, people) as crowd:
        await _all_read(town, crowd, room_id, sizes.patience_s)
        rounds = [await _all_read(town, crowd, room_id, sizes.patience_s) for _ in range(sizes.receipt_rounds)]
    waits = [seconds for round_waits, _, _ in rounds for seconds in round_waits]
    window = _sum([window for _, window, _ in rounds])
    figure = _cpu_figure("receipt", "receipt", len(waits), window, latencies_of(waits))
    notes = [note for _, _, note in rounds if note]
    return [replace(figure, warm_up=len(people), note="; ".join(notes), complete=not notes)]


async def burst(town: Town, sizes: Sizes) -> list[Figure]:
    """Everybody answers at once into the room on which everybody waits."""
    return await _burst(town, sizes.people, HALL, "burst", sizes.patience_s)


async def burst_of_1500(town: Town, sizes: Sizes) -> list[Figure]:
    """The same with a small town's worth of people."""
    return await _burst(town, _BIG_CROWD, "square", "burst_1500", sizes.patience_s)


async def many_idle(town: Town, sizes: Sizes) -> list[Figure]:
    """A small town's worth of people in one room come back after a restart, and then nothing happens."""
    await town.room("common", _QUIET_CROWD, "citizen")
    people = await town.people(_QUIET_CROWD, "citizen")
    for person in people:
        await asyncio.gather(person.talking.close(), person.waiting.close())
    await town.server.stop()
    await town.server.start()
    async with waiting_crowd(town.server, people):
        return [_memory(town, "memory_idle_2000", _QUIET_CROWD)]


async def _burst(town: Town, count: int, room: str, name: str, patience_s: float) -> list[Figure]:
    room_id = await town.room(room, count)
    people = await town.people(count)
    async with waiting_crowd(town.server, people) as crowd:
        call = next(_calls)
        watch = crowd.watch_for(re.compile(rb"answer %d/(\d+)\." % call), count)
        (waits, seen), window = await measured(town.server, _all_answer(crowd, room_id, call, watch, patience_s))
        memory = _memory(town, f"memory_{name}", count)
    note = "" if seen else f"{watch.missing} of {count * count} deliveries missing after {patience_s:.0f} s"
    return [replace(_cpu_figure(name, "answer", count, window, latencies_of(waits)), note=note, complete=seen), memory]


async def _all_answer(
    crowd: Crowd, room_id: str, call: int, watch: Watch, patience_s: float
) -> tuple[list[float], bool]:
    deadline = time.perf_counter() + patience_s
    answers = (person.send(room_id, f"answer {call}/{number}.") for number, person in enumerate(crowd.people))
    waits = await asyncio.gather(*(timed(answer) for answer in answers))
    return list(waits), await watch.done(max(0.0, deadline - time.perf_counter()))


async def _broadcast(town: Town, crowd: Crowd, room_id: str, patience_s: float) -> tuple[list[float], Window]:
    watch = crowd.watch_for(re.compile(rb"call (%d)\." % (call := next(_calls))), 1)
    seconds, window = await measured(town.server, _call_all(town, room_id, f"call {call}.", watch, patience_s))
    return seconds, window


async def _call_all(town: Town, room_id: str, text: str, watch: Watch, patience_s: float) -> list[float]:
    begin = time.perf_counter()
    await (await town.officer()).send(room_id, text)
    if not await watch.done(patience_s):
        raise TimeoutError(f"{watch.missing} people did not get a message in {patience_s:.0f} s")
    return watch.seconds_since(begin)


async def _all_read(town: Town, crowd: Crowd, room_id: str, patience_s: float) -> tuple[list[float], Window, str]:
    call = next(_calls)
    arrived = crowd.watch_for(re.compile(rb"call (%d)\." % call), 1)
    event_id = await (await town.officer()).send(room_id, f"call {call}.")
    await arrived.done(patience_s)
    await town.server.settle()
    watch = crowd.watch_for(_RECEIPT_OF, len(crowd.people))
    (waits, seen), window = await measured(town.server, _post_receipts(crowd, room_id, event_id, watch, patience_s))
    note = "" if seen else f"{watch.missing} receipts not seen after {patience_s:.0f} s"
    return waits, window, note


async def _post_receipts(
    crowd: Crowd, room_id: str, event_id: str, watch: Watch, patience_s: float
) -> tuple[list[float], bool]:
    waits = await asyncio.gather(*(timed(person.read_up_to(room_id, event_id)) for person in crowd.people))
    return list(waits), await watch.done(patience_s)


def _memory(town: Town, name: str, people: int) -> Figure:
    return Figure(name=name, measure="MB", unit="server", value=town.server.resident_mb(), count=people)


def _cpu_figure(name: str, unit: str, count: int, window: Window, latencies: Latencies) -> Figure:
    return Figure(
        name=name,
        measure="ms CPU",
        unit=unit,
        value=cpu_ms(window, count),
        count=count,
        wall_s=window.wall_s,
        latencies=latencies,
    )


def _sum(windows: list[Window]) -> Window:
    return Window(sum(window.cpu_s for window in windows), sum(window.wall_s for window in windows))
