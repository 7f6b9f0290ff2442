"""R14, R18: somebody else holds the database: another program for a while, one that tidies it, a backup."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.http.answers import refusal_answer
from server.storage.faults import StorageBusy
from tests.builders import RunningNode
from tests.faults.process import ROOT
from tests.faults.sizes import IS_LONG, size, tell
from tests.operation.houses import house

HELD_S = 1.5
LONGER_S = 20.0
_VACUUM = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).execute('VACUUM')"


async def test_writes_wait_for_whoever_holds_the_database_and_reading_goes_on(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        await hanako.says(room, "まえ")
        holding = _hold(tmp_path / "node/kairan.db", HELD_S)
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


@pytest.mark.skipif(not IS_LONG, reason="with make faults")
async def test_writes_that_have_waited_too_long_are_refused_and_told_when_to_come_again(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        holding = _hold(tmp_path / "node/kairan.db", LONGER_S)
        loop = asyncio.get_running_loop()
        began, waits, slowest_read = loop.time(), list[float](), 0.0
        writing = asyncio.ensure_future(_until_written(node, hanako.token, room, waits))
        while not writing.done():
            asked = loop.time()
            await hanako.get(f"v3/rooms/{room}/messages", dir="b", limit="5")
            slowest_read = max(slowest_read, loop.time() - asked)
            await asyncio.sleep(0.2)
        await writing
        took = loop.time() - began
        await asyncio.to_thread(holding.join)
        assert waits, "twenty seconds are longer than anybody is kept waiting"
        assert slowest_read < 1.0
        assert (await hanako.syncs()).texts(room) == ["まっています"]
        tell("R14", f"held for {LONGER_S:.0f} s: {len(waits)} times 503 with Retry-After, after {max(waits):.1f} s; "
                    f"written once, {took:.1f} s after the first try; the slowest read {slowest_read:.2f} s")


async def _until_written(node: RunningNode, token: str, room: str, waits: list[float]) -> None:
    """As a client does: again with the same transaction id, when it was told to."""
    loop = asyncio.get_running_loop()
    path, body = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/1", {"msgtype": "m.text", "body": "まっています"}
    while True:
        began = loop.time()
        with node.contract.tolerating("somebody else holds the database"):
            answer = await node.client.put(path, json=body, headers={"Authorization": f"Bearer {token}"})
        if answer.status == 200:
            return
        assert answer.status == 503
        waits.append(loop.time() - began)
        await asyncio.sleep(int(answer.headers["Retry-After"]))


def test_whoever_is_told_that_the_node_is_busy_is_told_when_to_come_again() -> None:
    assert refusal_answer(StorageBusy("busy")).headers["Retry-After"] == "1"


async def test_nobody_is_refused_while_another_program_tidies_the_database(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        for number in range(size(50, 2_000)):
            await hanako.says(room, f"{number} " + "x" * 2_000)
        vacuum = await asyncio.create_subprocess_exec(sys.executable, "-c", _VACUUM, tmp_path / "node/kairan.db")
        ending, loop, slowest, said = asyncio.ensure_future(vacuum.wait()), asyncio.get_running_loop(), 0.0, 0
        while not ending.done():
            asked = loop.time()
            await hanako.says(room, f"あいだ {said}")
            slowest, said = max(slowest, loop.time() - asked), said + 1
        assert await ending == 0
        past = await hanako.get(f"v3/rooms/{room}/messages", dir="b", limit="1000")
        there = [event["content"]["body"] for event in past["chunk"] if event["type"] == "m.room.message"]
        told = [text for text in there if text.startswith("あいだ")]
        assert told[::-1] == [f"あいだ {number}" for number in range(said)][-len(told):]
        tell("R14", f"VACUUM by another program: {said} written meanwhile, none refused, slowest {slowest:.2f} s")


def _hold(database: Path, seconds: float) -> threading.Thread:
    """Hold the writing lock from now on, for so long."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(database, timeout=10, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        over.wait(seconds)
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
