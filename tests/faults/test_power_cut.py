"""R2: the power goes. What was acknowledged is on the disk all the same (``disk.py`` says how).

This is what tells ``synchronous=FULL`` from less, which is tried, too. ``KAIRAN_CUTS`` says how often; 20 times with
``make faults``. ``test_power_cut_of_postgresql.py`` does the same to the other database.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import statistics
from contextlib import closing

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.disk import Disk
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IS_LONG, tell
from tests.faults.test_kill import Journal, all_after, write_until_gone

CUTS = int(os.environ.get("KAIRAN_CUTS", "20" if "KAIRAN_KILLS" in os.environ else "1"))
WRITERS = 10
READY_S = 5.0


@pytest.mark.slow
async def test_what_was_acknowledged_survives_power_cuts(disk: Disk, on_disk: NodeProcess) -> None:
    dice, total, starts = random.Random(7), 0, list[float]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        client = Client(on_disk, http)
        await on_disk.start()
        await client.register("hanako")
        room = (await client.ask("POST", "createRoom", {}))["room_id"]
        token = (await client.ask("GET", "sync"))["next_batch"]
        for turn in range(CUTS):
            journal = Journal()
            # Between the cut and the kill the node may find out that its disk is gone, and say so (5xx).
            writers = asyncio.gather(*(
                write_until_gone(client, room, f"{turn}-{number}", journal) for number in range(WRITERS)
            ), return_exceptions=True)
            await journal.first.wait()
            await asyncio.sleep(dice.uniform(0.05, 0.4))
            # What is acknowledged after the cut began does not count: nobody could know of it any more.
            sure = dict(journal.acknowledged)
            disk.cut()
            await on_disk.kill()
            await writers
            disk.unmount()
            assert disk.mount() == ""
            assert faults_of(disk.place / "kairan.db") == []
            began = asyncio.get_running_loop().time()
            await on_disk.start()
            starts.append(asyncio.get_running_loop().time() - began)
            stored = [event["content"].get("body") for event in await all_after(client, room, token)]
            lost = sure.keys() - set(stored)
            assert not lost, f"cut {turn}: {len(lost)} of {len(sure)} acknowledged messages were lost"
            assert len(stored) == len(set(stored)), f"cut {turn}: doubled"
            token = (await client.ask("GET", "sync", since=token))["next_batch"]
            total += len(sure)
    middle = statistics.median(starts)
    tell("R2", f"{CUTS} cuts, {total} acknowledged, 0 lost; ready again: {middle:.2f} s, at most {max(starts):.2f} s")
    assert middle <= READY_S or not IS_LONG


@pytest.mark.slow
def test_a_cut_tells_full_from_less(disk: Disk) -> None:
    """What the judge above is worth: a database that waits less for this disk loses what it has committed."""
    assert _left_after_a_cut(disk, "FULL") == list(range(20))
    # Whoever flushes all disks in just this moment saves it; nobody does so ten times.
    assert any(len(_left_after_a_cut(disk, "NORMAL")) < 20 for _ in range(10))


def _left_after_a_cut(disk: Disk, level: str) -> list[int]:
    """What is left of twenty commits, in the node's way of keeping its database but for ``synchronous``."""
    file = disk.place / "other.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("DROP TABLE IF EXISTS kept")
        database.execute("CREATE TABLE kept (number INTEGER)")
        database.execute(f"PRAGMA synchronous={level}")
        for number in range(20):
            database.execute("INSERT INTO kept VALUES (?)", (number,))
        disk.cut()
    disk.unmount()
    assert disk.mount() == ""
    with closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute("SELECT number FROM kept ORDER BY number")]
