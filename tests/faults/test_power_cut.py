"""R2: the power goes. What was acknowledged is on the disk all the same (``disk.py`` says how).

This is what tells ``synchronous=FULL`` from less, which is tried, too. ``KAIRAN_CUTS`` says how often; 20 times with
``make faults`` and under CI. ``test_power_cut_of_postgresql.py`` does the same to the other database.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
from contextlib import closing

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.cuts import survive_cuts
from tests.faults.disk import Disk
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IN_CI, IS_LONG, tell

CUTS = int(os.environ.get("KAIRAN_CUTS", "20" if IS_LONG or IN_CI else "1"))
READY_S = 5.0


@pytest.mark.slow
async def test_what_was_acknowledged_survives_power_cuts(disk: Disk, on_disk: NodeProcess) -> None:
    async def come_back() -> None:
        disk.unmount()
        assert disk.mount() == ""
        assert faults_of(disk.place / "kairan.db") == []

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        cuts = await survive_cuts(on_disk, Client(on_disk, http), CUTS, disk.cut, come_back)
    middle, most = statistics.median(cuts.starts_s), max(cuts.starts_s)
    tell("R2", f"{CUTS} cuts, {cuts.acknowledged} acknowledged, 0 lost; ready: {middle:.2f} s, at most {most:.2f} s")
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
