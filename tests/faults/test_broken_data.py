"""R21, R22: a damaged database and a missing key are told in plain words at the start; nothing is served from them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.foundation.errors import Refused
from server.operation.daily import check_sentence
from server.operation.snapshot_store import faults_of
from tests.builders import RunningNode, settings_for
from tests.faults.process import ROOT, Client, NodeProcess
from tests.faults.sizes import size, tell
from tests.faults.test_kill import all_after
from tests.operation.houses import backed_up, house, put_back

PAGE = 4096


async def node_with_a_past(folder: Path) -> Path:
    """A node that has stopped; the answer is its backup."""
    settings = house(folder)
    async with RunningNode(settings) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        for number in range(40):
            await hanako.says(room, f"{number} " + "x" * 500)
        return (await backed_up(settings, folder.parent / "disk")).path


def start(folder: Path) -> subprocess.CompletedProcess[str]:
    """Start it; it must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "server", "run", "--config", str(folder / "kairan.toml")], cwd=ROOT,
        capture_output=True, text=True, timeout=30, check=False,
    )


@pytest.mark.parametrize("damage", ["header", "pages", "cut"])
async def test_a_damaged_database_is_told_and_a_backup_brings_the_node_back(damage: str, tmp_path: Path) -> None:
    backup = await node_with_a_past(tmp_path / "node")
    database = tmp_path / "node/kairan.db"
    content = bytearray(database.read_bytes())
    if damage == "header":
        content[:100] = b"\xff" * 100
    elif damage == "pages":
        for place in range(3 * PAGE, len(content) - PAGE, PAGE):
            content[place:place + 64] = b"\xff" * 64
    else:
        del content[len(content) // 2:]
    database.write_bytes(content)

    ended = await asyncio.to_thread(start, tmp_path / "node")
    assert ended.returncode == 1
    assert "its database is damaged" in ended.stderr
    assert "kairan restore" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert database.read_bytes() == content, "what a rescuer needs is not touched"
    with pytest.raises(Refused, match="damaged"):
        check_sentence(house(tmp_path / "node"))
    done = await put_back(backup, tmp_path / "new")
    assert done.counts["events"] > 40
    assert "sound" in check_sentence(house(tmp_path / "new"))


async def test_one_flipped_page_is_found_by_the_nightly_check(tmp_path: Path) -> None:
    await node_with_a_past(tmp_path / "node")
    database = tmp_path / "node/kairan.db"
    whole = database.read_bytes()
    found = 0
    places = range(PAGE, len(whole) - PAGE, PAGE * 7)
    for place in places:
        database.write_bytes(whole[:place] + b"\xff" * 16 + whole[place + 16:])
        try:
            check_sentence(house(tmp_path / "node"))
        except Refused:
            found += 1
    assert found >= len(places) * 9 // 10, "only a page that nobody uses may be overlooked"


@pytest.mark.slow
async def test_a_log_of_writes_that_is_cut_changed_or_gone_costs_what_came_last_and_nothing_else(
    process: NodeProcess, client: Client
) -> None:
    """What a killed node had not yet moved from its -wal file: SQLite takes what is whole of it, in its order."""
    talked = await _killed_while_it_talked(process, client)
    there = {}
    for name, (damage, least) in list(_DAMAGES.items())[: size(2, 4)]:
        for file in talked.files:
            (process.folder / file).write_bytes(talked.files[file])
        damage(process.folder / "kairan.db")
        await process.start()
        texts = [event["content"]["body"] for event in await all_after(client, talked.room, talked.since)]
        await client.ask("PUT", f"rooms/{talked.room}/send/m.room.message/{name}", {"body": "あと"})
        await process.kill()
        assert texts == talked.said[: len(texts)]
        assert least * len(talked.said) <= len(texts)
        assert faults_of(process.folder / "kairan.db") == []
        there[name] = len(texts)
    tell("R21", f"of {len(talked.said)} messages, {talked.moved} of them moved from the -wal file: {there}")


@dataclass(frozen=True, slots=True)
class _Talked:
    """What was said, how much of it stood in the database itself, and the files of the killed node."""

    said: list[str]
    moved: int
    room: str
    since: str
    files: dict[str, bytes]


async def _killed_while_it_talked(process: NodeProcess, client: Client) -> _Talked:
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    since = (await client.ask("GET", "sync"))["next_batch"]
    said = [str(number) for number in range(40)]
    for text in said:
        if text == "20":
            _move(process.folder / "kairan.db")
        await client.ask("PUT", f"rooms/{room}/send/m.room.message/{text}", {"body": text})
    await process.kill()
    files = {file.name: file.read_bytes() for file in process.folder.glob("kairan.db*")}
    assert len(files["kairan.db-wal"]) > 20 * PAGE
    return _Talked(said, 20, room, since, files)


def _move(database: Path) -> None:
    """Everything that is in the log of writes into the database."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _cut(database: Path) -> None:
    os.truncate(_log(database), _log(database).stat().st_size // 2 + 100)


def _change(database: Path) -> None:
    content = bytearray(_log(database).read_bytes())
    content[len(content) // 2] ^= 0xFF
    _log(database).write_bytes(content)


def _lose_index(database: Path) -> None:
    database.with_name(f"{database.name}-shm").unlink()


def _lose(database: Path) -> None:
    _lose_index(database)
    _log(database).unlink()


# What is done, and how much of what was said must still be there.
_DAMAGES: dict[str, tuple[Callable[[Path], None], float]] = {
    "-wal cut": (_cut, 0.5), "-wal gone": (_lose, 0.5), "-wal changed": (_change, 0.5), "-shm gone": (_lose_index, 1.0),
}


async def test_a_node_without_its_key_does_not_start_with_a_new_one(tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    async with RunningNode(settings):
        pass
    settings.signing_key_file.unlink()
    ended = await asyncio.to_thread(start, tmp_path / "node")
    assert ended.returncode == 1
    assert "there is no signing key" in ended.stderr
    assert not settings.signing_key_file.exists()


async def test_data_under_another_name_is_not_taken_for_that_nodes_own(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        await node.user("hanako")
    with pytest.raises(Refused, match="keeps its name for ever"):
        async with RunningNode(settings_for(tmp_path, server_name="ume.example")):
            pass
    async with RunningNode(settings_for(tmp_path)):
        pass
