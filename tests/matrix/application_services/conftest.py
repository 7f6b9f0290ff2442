"""A node with an application service beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import RunningNode, settings_for
from tests.matrix.application_services.service import AppService, Registered, write_registration

MakeNode = Callable[..., Awaitable[RunningNode]]


@pytest.fixture
async def service() -> AsyncIterator[AppService]:
    """An application service that answers on a port of its own."""
    async with AppService() as running:
        yield running


@pytest.fixture
async def make_node(tmp_path: Path) -> AsyncIterator[MakeNode]:
    """Starts a node with registrations, each a table of what differs from the usual one."""
    running: list[RunningNode] = []

    async def make(*registrations: dict[str, Any], clock: Any = None, more: str = "") -> RunningNode:
        files = [write_registration(tmp_path, registration) for registration in registrations]
        node = RunningNode(settings_for(tmp_path, more=f"application_service_files = {files}\n{more}"), clock)
        await node.__aenter__()
        running.append(node)
        return node

    yield make
    for node in running:
        await node.__aexit__()


@pytest.fixture
async def node(make_node: MakeNode, service: AppService) -> RunningNode:
    """A node whose one application service is ``service``."""
    return await make_node({"url": service.url})


@pytest.fixture
def bridge(node: RunningNode) -> Registered:
    """What the service asks the node."""
    return Registered(node)


@pytest.fixture
async def node_alone(make_node: MakeNode) -> RunningNode:
    """A node without application services."""
    return await make_node()
