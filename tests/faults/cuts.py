"""The power is cut again and again under ten writers; what was acknowledged before a cut is there after it, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from tests.faults.process import Client, NodeProcess
from tests.faults.test_kill import Journal, all_after, write_until_gone

WRITERS: Final = 10


@dataclass
class Cuts:
    """What came of them: how much was acknowledged, and how soon the node was ready again, each time."""

    acknowledged: int = 0
    starts_s: list[float] = field(default_factory=list)


async def survive_cuts(
    process: NodeProcess, client: Client, count: int, cut: Callable[[], None], come_back: Callable[[], Awaitable[None]]
) -> Cuts:
    """``cut`` takes the power from the database, ``come_back`` gives it back and raises where the database is not
    whole; the node is killed between the two.
    """
    dice, found = random.Random(7), Cuts()
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    token = (await client.ask("GET", "sync"))["next_batch"]
    for turn in range(count):
        journal = Journal()
        # Between the cut and the kill the node may find out that its disk or database is gone, and say so (5xx).
        writers = asyncio.gather(*(
            write_until_gone(client, room, f"{turn}-{number}", journal) for number in range(WRITERS)
        ), return_exceptions=True)
        await journal.first.wait()
        await asyncio.sleep(dice.uniform(0.05, 0.4))
        # What is acknowledged after the cut began does not count: nobody could know of it any more.
        sure = dict(journal.acknowledged)
        cut()
        await process.kill()
        await writers
        await come_back()
        found.starts_s.append(await _start(process))
        stored = [event["content"].get("body") for event in await all_after(client, room, token)]
        lost = sure.keys() - set(stored)
        assert not lost, f"cut {turn}: {len(lost)} of {len(sure)} acknowledged messages were lost"
        assert len(stored) == len(set(stored)), f"cut {turn}: doubled"
        token = (await client.ask("GET", "sync", since=token))["next_batch"]
        found.acknowledged += len(sure)
    return found


async def _start(process: NodeProcess) -> float:
    """How many seconds it takes."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await process.start()
    return loop.time() - began
