"""R5: a disk that is full: who writes is told so, who reads goes on, and when there is room again nothing was lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.disk import Disk
from tests.faults.process import NodeProcess
from tests.faults.sizes import tell
from tests.faults.talk import FULL, Talk


@pytest.fixture(params=["20 MB in memory", "64 MB of ext4"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small disk; skips loudly where nobody may mount."""
    disk = Disk(tmp_path, megabytes=64)
    reason = disk.make() if "ext4" in request.param else _in_memory(disk.place)
    if reason:
        warnings.warn(f"A FULL DISK WAS NOT TRIED: {reason}", stacklevel=1)
        pytest.skip(reason)
    yield disk.place
    subprocess.run(["umount", "-l", str(disk.place)], check=True)


def _in_memory(place: Path) -> str:
    """Why that is not possible here, or nothing."""
    command = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs", str(place)]
    is_possible = os.getuid() == 0 and not subprocess.run(command, check=False, capture_output=True).returncode
    return "" if is_possible else "only root may mount"


@pytest.mark.slow
async def test_a_full_disk_refuses_writing_and_nothing_else(
    small_disk: Path, request: pytest.FixtureRequest
) -> None:
    node = NodeProcess(small_disk)
    async with aiohttp.ClientSession() as http:
        try:
            await node.start()
            log, talk = await _fill_and_free(Talk(node, http), small_disk)
        finally:
            await node.kill()
    assert faults_of(small_disk / "kairan.db") == []
    tell("R5", f"{request.node.name}: {len(talk.acknowledged)} acknowledged and there; full: 507, also for files; "
               f"reading goes on, log {log} bytes; then written again")


async def _fill_and_free(talk: Talk, disk: Path) -> tuple[int, Talk]:
    await talk.begin()
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - 2**20))
    await talk.until_full()
    assert await talk.upload(b"x" * 2**20) == FULL
    # Reading goes on, and the node writes no log without end.
    assert await talk.there() == talk.acknowledged
    log = (disk / "node.log").stat().st_size
    assert log < 200_000
    filler.unlink()
    await talk.until_it_goes_on()
    assert await talk.there() == talk.acknowledged, "all that was acknowledged, once, and nothing else"
    return log, talk
