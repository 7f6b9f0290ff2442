"""R14, R18: somebody else holds the database: another program for a while, a backup that reads all of it."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from tests.builders import RunningNode
from tests.faults.process import ROOT
from tests.operation.houses import house

HELD_S = 1.5


async def test_writes_wait_for_whoever_holds_the_database_and_reading_goes_on(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        await hanako.says(room, "まえ")
        holding = _hold(tmp_path / "node/kairan.db")
        loop = asyncio.get_running_loop()
        began = loop.time()
        writing = asyncio.ensure_future(hanako.says(room, "まっています"))
        past = await hanako.get(f"v3/rooms/{room}/messages", dir="b", limit="5")
        assert "まえ" in str(past["chunk"])
        assert loop.time() - began < HELD_S, "who reads waits for nobody"
        await writing
        assert loop.time() - began > HELD_S / 3
        await asyncio.to_thread(holding.join)
        assert (await hanako.syncs()).texts(room)[-1] == "まっています"


def _hold(database: Path) -> threading.Thread:
    """Hold the writing lock from now on, for a while."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(database, timeout=10, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        over.wait(HELD_S)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    return thread


async def test_nobody_is_refused_while_a_backup_is_made(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    async with RunningNode(house(tmp_path / "node", f'[backup]\nfolder = "{tmp_path / "disk"}"\n')) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        for number in range(100):
            await hanako.says(room, f"{number} " + "x" * 2_000)
        backup = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "backup", "--config", str(tmp_path / "node/kairan.toml"), cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        ending = asyncio.ensure_future(backup.wait())
        said = 0
        while not ending.done():
            await hanako.says(room, f"あいだ {said}")
            said += 1
        assert await ending == 0
        assert said > 0
        assert len(list((tmp_path / "disk").iterdir())) == 1
