"""``python -m benchmarks.many_nodes``: how many associations fit on one machine (docs/sizing.md)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import uvloop

from benchmarks.many_nodes.houses import House, make_houses
from benchmarks.many_nodes.machine import Meter, memory_of
from benchmarks.many_nodes.nodes import Nodes, running
from benchmarks.many_nodes.officer import Officer
from benchmarks.many_nodes.residents import Residents
from benchmarks.measuring import Latencies, latencies_of, timed
from server.demo.machine import open_many_files

Result = dict[str, object]

_REST_S = 5.0
_PATIENCE_S = 300.0
_MESSAGES = 300


def main() -> int:
    """Set up, measure, print JSON; 1 where not everybody was asked and counted."""
    options = _options()
    open_many_files()
    cpus = {int(number) for number in options.cpus.split(",")} if options.cpus else set()
    with tempfile.TemporaryDirectory(prefix="kairan-many-nodes-", dir=options.folder) as folder:
        houses = make_houses(Path(folder), options.nodes, options.people, os.cpu_count() or 1)
        if cpus and (others := set(range(os.cpu_count() or 1)) - cpus):
            os.sched_setaffinity(0, others)  # the people do not take the nodes' time
        result = uvloop.run(_measure(options, houses, cpus))
    print(json.dumps({"nodes": options.nodes, "people": options.people, "cpus": options.cpus, **result}, indent=1))
    return 0 if result["counted"] == options.nodes * options.people else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_nodes", description=__doc__)
    parser.add_argument("--nodes", type=int, default=60, metavar="N", help="how many associations (default: 60)")
    parser.add_argument("--people", type=int, default=100, metavar="N", help="of how many people each (default: 100)")
    parser.add_argument("--cpus", default="0,1", metavar="N,N", help="the nodes' processors (default: 0,1)")
    parser.add_argument("--idle", type=float, default=60.0, metavar="S", help="how long nothing happens (default: 60)")
    parser.add_argument("--folder", help="where the nodes live while it runs; a disk, not memory")
    return parser.parse_args()


async def _measure(options: argparse.Namespace, houses: Sequence[House], cpus: set[int]) -> Result:
    async with AsyncExitStack() as closing:
        nodes = await closing.enter_async_context(running(houses, cpus))
        await asyncio.sleep(_REST_S)
        result: Result = {"start_first_s": nodes.first_s, "start_last_s": nodes.last_s,
                          "memory_started": asdict(memory_of(nodes.pids))}
        result["idle_alone_cpu"] = await _idle(nodes, options.idle / 2)
        officers = [await closing.enter_async_context(Officer(house)) for house in nodes.houses]
        residents = Residents.of(nodes.houses)
        closing.push_async_callback(residents.leave)
        await residents.arrive()
        async with asyncio.TaskGroup() as group:
            lives = [group.create_task(resident.wait(group)) for resident in residents.all]
            result |= await _with_everybody(options, nodes, officers, residents)
            for life in lives:
                life.cancel()
    return result


async def _with_everybody(
    options: argparse.Namespace, nodes: Nodes, officers: Sequence[Officer], residents: Residents
) -> Result:
    await asyncio.sleep(_REST_S)
    result: Result = {"memory_waiting": asdict(memory_of(nodes.pids))}
    result["idle_waiting_cpu"] = await _idle(nodes, options.idle)
    result["message_ms"] = asdict(await _messages(residents))
    for officer in officers:
        await officer.log_in()
        await officer.prepare()
    await asyncio.sleep(_REST_S)
    result["safety"] = await _safety_check(nodes, officers, residents)
    result["memory_after"] = asdict(memory_of(nodes.pids))
    result["counted"] = sum([await officer.answered() for officer in officers])
    return result


async def _idle(nodes: Nodes, seconds: float) -> float:
    """The share of one processor that all nodes take while nothing is said."""
    meter = Meter(nodes.pids)
    await asyncio.sleep(seconds)
    return meter.cpu_s() / meter.wall_s()


async def _messages(residents: Residents) -> Latencies:
    """Now and then somebody somewhere says something."""
    seconds = []
    step = max(1, len(residents.all) // _MESSAGES)
    for resident in residents.all[::step]:
        seconds.append(await timed(resident.person.send(resident.room_id, "おはようございます")))
        await asyncio.sleep(0.02)
    return latencies_of(seconds)


async def _safety_check(nodes: Nodes, officers: Sequence[Officer], residents: Residents) -> Result:
    """In all associations at one moment; everybody answers as soon as their phone rings."""
    meter = Meter(nodes.pids)
    started = await asyncio.gather(*(timed(officer.start()) for officer in officers))
    asked = await residents.reach("asked_at", _PATIENCE_S)
    asked_s = meter.wall_s()
    accepted = await residents.reach("answer_s", _PATIENCE_S)
    accepted_s = meter.wall_s()
    told = await residents.reach("told_at", _PATIENCE_S)
    answers = [resident.answer_s for resident in residents.all if resident.answer_s is not None]
    return {
        "buttons_s": max(started), "asked": asked, "asked_s": asked_s, "accepted": accepted, "accepted_s": accepted_s,
        "told": told, "told_s": meter.wall_s(), "cpu_s": meter.cpu_s(), "answer_ms": asdict(latencies_of(answers)),
    }


if __name__ == "__main__":
    sys.exit(main())
