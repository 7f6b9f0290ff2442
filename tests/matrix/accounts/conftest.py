"""A node's account doors on a database file of its own, spoken to by real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.assembly.account_rules import account_rules
from server.config import Settings, parse_settings
from server.foundation.clock import SystemClock
from server.http.routes import Doors
from server.http.services import provide_accounts
from server.matrix_api import account_doors
from server.storage.database import Database
from server.storage.schema_version import migrate
from server.storage.streams import StreamPositions
from tests.contract.watching import Watch
from tests.empty_database import lay_down

Answer = tuple[int, Any]
PASSWORD = "cherry-blossom-4"


class StillClock(SystemClock):
    """The real clock, and a hand to move it forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_ms(self) -> int:
        return super().now_ms() + int(self.ahead_s * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


@dataclass
class Person:
    """Somebody who is logged in, and what their client sends."""

    node: Node
    user_id: str
    token: str
    device_id: str

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.node.ask(method, path, body, token=self.token, **more)

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def put(self, path: str, body: Any, **more: Any) -> Answer:
        return await self.ask("PUT", path, body, **more)

    async def post(self, path: str, body: Any, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    async def delete(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("DELETE", path, body, **more)

    def password_auth(self, password: str = PASSWORD, session: str | None = None) -> dict[str, Any]:
        auth = {
            "type": "m.login.password", "password": password,
            "identifier": {"type": "m.id.user", "user": self.user_id},
        }
        return auth if session is None else {**auth, "session": session}


@dataclass
class Node:
    """The node under test."""

    client: TestClient[web.Request, web.Application]
    accounts: Accounts
    database: Database
    positions: StreamPositions
    clock: StillClock
    heard: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    device_lists_heard: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    contract: Watch = field(default_factory=Watch)

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> Answer:
        """``(status, JSON)`` of a request; a path without a slash is meant below ``/_matrix/client/``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if isinstance(body, bytes):
            more["data"] = body
        elif body is not None:
            more["json"] = body
        full = path if path.startswith("/") else f"/_matrix/client/{path}"
        async with self.client.request(method, full, headers=headers, **more) as response:
            answer = await response.json()
            self.contract.require_no_faults()
            return response.status, answer

    async def person(self, localpart: str = "hana", device_id: str | None = None) -> Person:
        """Somebody with an account and one device more than before."""
        user_id = f"@{localpart}:test.example"
        if not await self.accounts.user_exists(user_id):
            await self.accounts.create_user(localpart, PASSWORD)
        token, device_id = await self.accounts.create_session(user_id, device_id)
        return Person(self, user_id, token, device_id)


StartNode = Callable[..., Awaitable[Node]]


def settings_of(extra: str = "", folder: Path = Path()) -> Settings:
    toml = f'server_name = "test.example"\n[passwords]\ncost = 4\n{extra}'
    if "[limits]" not in extra:
        toml += "\n[limits]\nenabled = false\n"
    if "[registration]" not in extra:
        toml += '\n[registration]\nmode = "open"\nshared_secret = "secret of tools"\n'
    return parse_settings(toml, folder)


@pytest.fixture
async def start_node(tmp_path: Path) -> AsyncIterator[StartNode]:
    """Starts a node with further settings; a second call starts another one on the same database file."""
    running: list[tuple[TestClient[web.Request, web.Application], Database]] = []

    async def start(extra: str = "") -> Node:
        await lay_down(f"sqlite+aiosqlite:///{tmp_path / 'node.db'}")
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'node.db'}")
        await database.open()
        await migrate(database)
        clock = StillClock()
        settings = settings_of(extra, tmp_path)
        positions = StreamPositions(0)
        accounts = Accounts(
            database, positions, clock, settings.server_name, passwords=Passwords(settings.passwords.cost),
            rules=account_rules(settings),
        )
        await accounts.open()
        app = web.Application()
        provide_accounts(app, accounts, settings, clock)
        account_doors.add_routes(Doors(app))
        contract = Watch()
        contract.listen_to(app)
        client = TestClient(TestServer(app))
        await client.start_server()
        node = Node(client, accounts, database, positions, clock, contract=contract)
        accounts.listen(lambda users, position: node.heard.append((tuple(users), position)))
        accounts.listen_device_lists(
            lambda users, position: node.device_lists_heard.append((tuple(users), position))
        )
        running.append((client, database))
        return node

    yield start
    for client, database in running:
        await client.close()
        await database.close()


@pytest.fixture
async def node(start_node: StartNode) -> Node:
    """A node with open registration and no rate limits."""
    return await start_node()
