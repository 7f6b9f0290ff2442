"""Nodes that are killed, and disks that fail them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.faults.disk import Disk
from tests.faults.process import Client, NodeProcess


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    """A node that is not started yet."""
    node = NodeProcess(tmp_path)
    yield node
    await node.kill()


@pytest.fixture
async def client(process: NodeProcess) -> AsyncIterator[Client]:
    """Somebody without an account."""
    connector = aiohttp.TCPConnector(limit=0, force_close=False)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Client(process, http)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of our own; skips loudly where nobody may mount."""
    found = Disk(tmp_path)
    reason = found.make()
    if reason:
        pytest.skip(reason)
    yield found
    found.unmount()


@pytest.fixture
async def on_disk(disk: Disk) -> AsyncIterator[NodeProcess]:
    """A node on that disk, not started yet."""
    found = NodeProcess(disk.place)
    os.sync()
    yield found
    await found.kill()
