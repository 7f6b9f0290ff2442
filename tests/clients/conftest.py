"""matrix-nio clients: real ones, logged in by password."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nio
import pytest

from tests.builders import PASSWORD, SERVER_NAME, RunningNode

LogIn = Callable[..., Awaitable[nio.AsyncClient]]


@pytest.fixture
async def log_in(node: RunningNode, tmp_path: Path) -> AsyncIterator[LogIn]:
    """Logs somebody in on a new device; ``encrypted`` clients keep keys."""
    clients: list[nio.AsyncClient] = []

    async def start(name: str, *, encrypted: bool = False) -> nio.AsyncClient:
        if not await node.inside.accounts.user_exists(f"@{name}:{SERVER_NAME}"):
            await node.inside.accounts.create_user(name, PASSWORD)
        store = tmp_path / f"store{len(clients)}"
        store.mkdir()
        config = nio.AsyncClientConfig(encryption_enabled=encrypted, store_sync_tokens=encrypted)
        client = nio.AsyncClient(node.url, f"@{name}:{SERVER_NAME}", store_path=str(store), config=config)
        clients.append(client)
        answer = await client.login(PASSWORD, device_name="test")
        assert isinstance(answer, nio.LoginResponse), answer
        return client

    yield start
    for client in clients:
        await client.close()
