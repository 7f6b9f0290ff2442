"""Figures, and the window in which one is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.servers import ServerProcess

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """What a piece of work cost: server CPU until it rested again, and time until the work was done, in seconds."""

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """Answer times as the client saw them, in milliseconds."""

    p50: float
    p99: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the result: `value` is in `measure` per `unit`; not `complete` when something never arrived."""

    name: str
    measure: str
    unit: str
    value: float
    count: int
    warm_up: int = 0
    wall_s: float | None = None
    latencies: Latencies | None = None
    note: str = ""
    complete: bool = True


async def measured(server: ServerProcess, work: Awaitable[T]) -> tuple[T, Window]:
    """Does the work and measures it from a resting server to a resting server."""
    await server.settle()
    if server.probe is not None:
        server.probe.opens(server.pid)
    cpu, begin = server.cpu_seconds(), time.perf_counter()
    result = await work
    wall_s = time.perf_counter() - begin
    await server.settle()
    window = Window(server.cpu_seconds() - cpu, wall_s)
    if server.probe is not None:
        server.probe.closes(server.pid)
    return result, window


async def timed(work: Awaitable[object]) -> float:
    """Seconds that the work took."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


def latencies_of(seconds: Sequence[float], last: float | None = None) -> Latencies:
    """Percentiles of answer times; `last` in seconds where the slowest of one round is meant, not of all."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Latencies(ordered[len(ordered) // 2] * 1e3, p99 * 1e3, (ordered[-1] if last is None else last) * 1e3)


def cpu_ms(window: Window, count: int) -> float:
    """Milliseconds of server CPU for each of `count` units."""
    return window.cpu_s / count * 1e3


async def in_lanes(lanes: int, jobs: Sequence[Awaitable[T]]) -> list[T]:
    """Does the jobs in order, at most `lanes` at a time; their results in order."""
    gate = asyncio.Semaphore(lanes)

    async def through_gate(job: Awaitable[T]) -> T:
        async with gate:
            return await job

    return list(await asyncio.gather(*(through_gate(job) for job in jobs)))
