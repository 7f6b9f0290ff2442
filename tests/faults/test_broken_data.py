"""R21, R22: a damaged database and a missing key are told in plain words at the start; nothing is served from them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.foundation.errors import Refused
from server.operation.daily import check_sentence
from tests.builders import RunningNode, settings_for
from tests.faults.process import ROOT
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


async def test_a_lost_log_of_writes_leaves_a_whole_database(tmp_path: Path) -> None:
    """Without its -wal file a database is what it was at the last checkpoint; that is less, but not wrong."""
    await node_with_a_past(tmp_path / "node")
    for name in ("kairan.db-wal", "kairan.db-shm"):
        (tmp_path / "node" / name).unlink(missing_ok=True)
    assert "sound" in check_sentence(house(tmp_path / "node"))


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
