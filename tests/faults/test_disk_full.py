"""R5: a disk that is full: who writes is told so, who reads goes on, and when there is room again nothing was lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import tell
from tests.faults.test_kill import all_after

_MOST = 3_000
_LETTERS = "x" * 20_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """20 MB in memory; skips loudly where nobody may mount."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        warnings.warn("A FULL DISK WAS NOT TRIED: only root may mount", stacklevel=1)
        pytest.skip("only root may mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
async def test_a_full_disk_refuses_writing_and_nothing_else(small_disk: Path) -> None:
    node = NodeProcess(small_disk)
    async with aiohttp.ClientSession() as http:
        try:
            await node.start()
            await _fill_and_free(node, Client(node, http), http, small_disk)
        finally:
            await node.kill()
    with closing(sqlite3.connect(small_disk / "kairan.db")) as connection:
        assert [row[0] for row in connection.execute("PRAGMA integrity_check")] == ["ok"]


async def _fill_and_free(node: NodeProcess, client: Client, http: aiohttp.ClientSession, disk: Path) -> None:
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    token = (await client.ask("GET", "sync"))["next_batch"]
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - 2**20))
    acknowledged, refused = [], 0
    for number in range(_MOST):
        status, code = await _say(node, client, http, room, str(number))
        if status == 200:
            acknowledged.append(str(number))
        else:
            assert (status, code) == (507, "M_RESOURCE_LIMIT_EXCEEDED")
            refused += 1
        if refused == 5:
            break
    assert refused == 5, "it was never full"
    # Reading goes on, and the node writes no log without end.
    assert len(await _bodies(client, room, token)) == len(acknowledged)
    log = (disk / "node.log").stat().st_size
    assert log < 200_000
    filler.unlink()
    for attempt in range(20):
        status, _ = await _say(node, client, http, room, f"again-{attempt}")
        if status == 200:
            acknowledged.append(f"again-{attempt}")
            break
        await asyncio.sleep(0.1)
    stored = await _bodies(client, room, token)
    assert stored == acknowledged, "all that was acknowledged, once, and nothing else"
    tell("R5", f"{len(acknowledged)} acknowledged and there; full: 507, reading goes on, log {log} bytes; then written")


async def _say(
    node: NodeProcess, client: Client, http: aiohttp.ClientSession, room: str, name: str
) -> tuple[int, str]:
    url = f"{node.url}/_matrix/client/v3/rooms/{room}/send/m.room.message/{name}"
    headers = {"Authorization": f"Bearer {client.token}"}
    async with http.put(url, json={"msgtype": "m.text", "body": name, "more": _LETTERS}, headers=headers) as response:
        return response.status, (await response.json()).get("errcode", "")


async def _bodies(client: Client, room: str, token: str) -> list[str]:
    return [event["content"]["body"] for event in await all_after(client, room, token)]
