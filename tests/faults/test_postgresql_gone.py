"""R20: PostgreSQL is restarted without warning, its connections are cut, it is away for a while: the node is back soon.

A node that has lost the lock on its database ends itself, because another one may be active now; what has started it
(systemd with ``Restart=always``; here the test) starts it again.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IS_LONG, size, tell
from tests.faults.test_kill import GONE, all_after
from tests.storage.conftest import Cluster, cluster

__all__ = ["cluster"]

AGAIN_S = 10.0
_PATIENCE_S = 60.0
TURNS = size(1, 3)
FAULTS = ("restarted", "cut", "away", "killed", "a child killed") if IS_LONG else ("restarted",)
_TRIES = 20


class Durable(Cluster):
    """A cluster that is to keep what it has acknowledged, whatever is done to it."""

    def start(self) -> None:
        super().start()
        self._pg_ctl("stop", "-m", "fast")
        self.go_on()

    def go_on(self) -> None:
        """Start again on the same data."""
        self._pg_ctl("start", "-w", "-o", f"-k {self.folder} -c listen_addresses= -c max_connections=60")

    def fall(self) -> None:
        """As without power: nobody is told, nothing is put away."""
        self._pg_ctl("stop", "-m", "immediate")

    def kill(self) -> None:
        """``kill -9`` of the postmaster; it cannot even tell its children."""
        os.kill(int((self.folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    async def kill_a_child(self) -> None:
        """``kill -9`` of one connection's process: PostgreSQL starts all of them anew."""
        connection = await asyncpg.connect(host=str(self.folder), user="kairan", database="postgres")
        pid = await connection.fetchval("SELECT min(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
        os.kill(pid, signal.SIGKILL)
        with suppress(Exception):  # ours ends with the others
            await connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_node_outlives_its_database(tmp_path: Path, cluster: Cluster, fault: str) -> None:
    durable = Durable(cluster._programs)
    await asyncio.to_thread(durable.start)
    try:
        process = NodeProcess(tmp_path)
        process.config.write_text(process.config.read_text() + f'[database]\nurl = "{await durable.new_database()}"\n')
        async with aiohttp.ClientSession() as http:
            await _try_it(process, Client(process, http), durable, fault)
    finally:
        with suppress(Exception):
            await process.kill()
        await asyncio.to_thread(durable.stop)


async def _try_it(process: NodeProcess, client: Client, durable: Durable, fault: str) -> None:
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    since = (await client.ask("GET", "sync"))["next_batch"]
    acknowledged: list[str] = []
    slowest, dice = 0.0, random.Random(1)
    for turn in range(TURNS):
        writing = [asyncio.ensure_future(_write(client, room, f"{turn}-{writer}", acknowledged)) for writer in range(5)]
        await asyncio.sleep(dice.uniform(0.1, 0.5))
        await _harm(durable, fault)
        for writer in writing:
            writer.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        slowest = max(slowest, await _until_it_writes(process, client, room, f"again-{turn}", acknowledged))
    bodies = await _bodies(process, client, room, since)
    assert set(acknowledged) <= set(bodies), "acknowledged and lost"
    assert len(bodies) == len(set(bodies)), "doubled"
    if IS_LONG:
        assert slowest < AGAIN_S
    tell("R20", f"{fault}, {TURNS} times: {len(acknowledged)} acknowledged, none lost; again after {slowest:.1f} s")


async def _bodies(process: NodeProcess, client: Client, room: str, since: str) -> list[str]:
    """All that is there; it may end itself once more, when it notices what has happened."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            with suppress(*GONE, AssertionError):
                if process.has_ended:
                    await process.start()
                return [event["content"]["body"] for event in await all_after(client, room, since)]
            await asyncio.sleep(0.1)


async def _harm(durable: Durable, fault: str) -> None:
    if fault == "cut":
        await durable.cut_all_connections()
    elif fault == "a child killed":
        await durable.kill_a_child()
    else:
        await asyncio.to_thread(durable.kill if fault == "killed" else durable.fall)
        await asyncio.sleep(size(1, 30) if fault == "away" else 0)
        await asyncio.to_thread(_started_again, durable)


def _started_again(durable: Durable) -> None:
    """After a ``kill -9`` its children must have ended first."""
    for _ in range(_TRIES):
        with suppress(subprocess.CalledProcessError):
            durable.go_on()
            return
    raise AssertionError("PostgreSQL does not start again")


async def _write(client: Client, room: str, writer: str, acknowledged: list[str]) -> None:
    for number in range(10_000):
        name = f"{writer}-{number}"
        with suppress(*GONE, AssertionError):  # 5xx while nobody can write
            await client.ask("PUT", f"rooms/{room}/send/m.room.message/{name}", {"body": name})
            acknowledged.append(name)
            continue
        await asyncio.sleep(0.05)


async def _until_it_writes(
    process: NodeProcess, client: Client, room: str, name: str, acknowledged: list[str]
) -> float:
    """Start it again where it has ended, until it writes; answers how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            with suppress(*GONE, AssertionError):
                if process.has_ended:
                    await process.start()
                await client.ask("PUT", f"rooms/{room}/send/m.room.message/{name}", {"body": name})
                acknowledged.append(name)
                return loop.time() - began
            await asyncio.sleep(0.1)
