"""R2, R3, R4: the power goes, the disk refuses, the disk is slow. What was acknowledged is on the disk all the same.

A cut is FS_IOC_SHUTDOWN on an ext4 of our own in a file: what was not flushed is gone, as on a machine without power.
This is what tells ``synchronous=FULL`` from less, which is tried, too. ``KAIRAN_CUTS`` says how often; 20 times with
``make faults`` and under CI.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import shutil
import sqlite3
import statistics
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IS_LONG, tell
from tests.faults.test_kill import Journal, all_after, write_until_gone

_MANY = "KAIRAN_KILLS" in os.environ or os.environ.get("CI") == "true"
CUTS = int(os.environ.get("KAIRAN_CUTS", "20" if _MANY else "1"))
WRITERS = 10
READY_S = 5.0
_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_NO_LOG_FLUSH = struct.pack("I", 2)


class Disk:
    """An ext4 file system in a file, from which the power can be taken."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "disk"
        self.place = folder / "mounted"
        self.place.mkdir()

    def make(self) -> str:
        """Make and mount it; answers why that is not possible here, or nothing."""
        if os.getuid() != 0 or shutil.which("mkfs.ext4") is None:
            return "POWER CUTS NOT TRIED: only root may mount"
        with self._image.open("wb") as file:
            file.truncate(128 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True)
        return self.mount()

    def mount(self) -> str:
        """Power is back."""
        done = subprocess.run(
            ["mount", "-o", "loop,commit=600", str(self._image), str(self.place)], capture_output=True, text=True,
            check=False,
        )
        return f"POWER CUTS NOT TRIED: {done.stderr.strip()}" if done.returncode else ""

    def cut(self) -> None:
        """No power from now on: nothing more reaches the disk, not even what the system still holds."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Take it away."""
        subprocess.run(["umount", str(self.place)], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    found = Disk(tmp_path)
    reason = found.make()
    if reason:
        pytest.skip(reason)
    yield found
    found.unmount()


@pytest.fixture
async def node(disk: Disk) -> AsyncIterator[NodeProcess]:
    found = NodeProcess(disk.place)
    os.sync()
    yield found
    await found.kill()


@pytest.mark.slow
async def test_what_was_acknowledged_survives_power_cuts(disk: Disk, node: NodeProcess) -> None:
    dice, total, starts = random.Random(7), 0, list[float]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        client = Client(node, http)
        await node.start()
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
            await node.kill()
            await writers
            disk.unmount()
            assert disk.mount() == ""
            assert faults_of(disk.place / "kairan.db") == []
            began = asyncio.get_running_loop().time()
            await node.start()
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


@pytest.mark.slow
async def test_a_disk_that_refuses_to_flush_gets_no_acknowledgement(node: NodeProcess, disk: Disk) -> None:
    """R3: ``fdatasync`` fails from now on. Nothing is acknowledged; reading goes on; after a start all is there."""
    async with _tampered(node, disk, "inject=fdatasync,fsync:error=EIO") as (client, room, said):
        for number in range(3):
            with pytest.raises(AssertionError, match=r"50[0-9]"):
                await client.ask("PUT", f"rooms/{room}/send/m.room.message/refused{number}", {"body": "refused"})
        assert await _texts(client, room) == said
    await node.kill()
    await node.start()
    async with aiohttp.ClientSession() as http:
        again = Client(node, http)
        again.token = client.token
        texts = [text for text in await _texts(again, room) if text != "refused"]
        assert texts == said
        await again.ask("PUT", f"rooms/{room}/send/m.room.message/again", {"body": "again"})


@pytest.mark.slow
async def test_a_slow_disk_holds_up_writers_and_nobody_else(node: NodeProcess, disk: Disk) -> None:
    """R4: each flush takes half a second. Reading stays quick, and writes are acknowledged together."""
    loop = asyncio.get_running_loop()
    async with _tampered(node, disk, "inject=fdatasync:delay_enter=500000") as (client, room, _said):
        writing = asyncio.gather(*(
            client.ask("PUT", f"rooms/{room}/send/m.room.message/slow{number}", {"body": f"slow{number}"})
            for number in range(30)
        ))
        took = []
        for _ in range(10):
            began = loop.time()
            await client.ask("GET", f"rooms/{room}/messages", dir="b", limit="5")
            took.append(loop.time() - began)
        began = loop.time()
        await asyncio.wait_for(writing, 60)
        assert sorted(took)[-2] < 1.0, took
        assert len([text for text in await _texts(client, room) if text.startswith("slow")]) == 30


class _tampered:  # noqa: N801 - reads as a verb
    """A node under strace that tampers with its calls; someone has spoken before."""

    def __init__(self, node: NodeProcess, disk: Disk, how: str) -> None:
        if shutil.which("strace") is None:
            pytest.skip("FAULTS OF THE DISK NOT TRIED: strace is missing")
        self._node, self._how = node, how
        self._http: aiohttp.ClientSession
        self._strace: subprocess.Popen[bytes]

    async def __aenter__(self) -> tuple[Client, str, list[str]]:
        await self._node.start()
        self._http = aiohttp.ClientSession()
        client = Client(self._node, self._http)
        await client.register("hanako")
        room = (await client.ask("POST", "createRoom", {}))["room_id"]
        said = [f"before{number}" for number in range(3)]
        for text in said:
            await client.ask("PUT", f"rooms/{room}/send/m.room.message/{text}", {"body": text})
        self._strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", self._how,
             "-p", str(self._node.process_id)],
            stderr=subprocess.DEVNULL,
        )
        await asyncio.sleep(1.0)
        return client, room, said

    async def __aexit__(self, *failure: object) -> None:
        self._strace.terminate()
        self._strace.wait(10)
        await self._http.close()


async def _texts(client: Client, room: str) -> list[str]:
    page = await client.ask("GET", f"rooms/{room}/messages", dir="b", limit="100")
    texts = [event["content"]["body"] for event in page["chunk"] if event["type"] == "m.room.message"]
    return texts[::-1]
