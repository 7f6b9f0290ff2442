"""Nodes that are killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

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
