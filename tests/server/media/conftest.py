"""A node with the doors of media, asked over real HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.config import DatabaseSettings, LimitSettings, Settings
from server.foundation.clock import SystemClock
from server.http.media_services import MEDIA, MediaServices, open_media
from server.http.routes import Doors
from server.http.services import provide_accounts
from server.matrix_api import media as media_doors
from server.storage.database import Database
from server.storage.streams import StreamPositions
from tests.contract.watching import Watch
from tests.empty_database import empty_database

SERVER = "sakura.example"
UPLOAD_LIMIT = 4 * 2**20


@dataclass
class Node:
    """The node, and what a client has in hand."""

    client: TestClient[Any, Any]
    services: MediaServices
    folder: Path
    headers: dict[str, dict[str, str]]

    async def upload(
        self, data: Any, content_type: str = "application/octet-stream", name: str | None = None, who: str = "hanako"
    ) -> ClientResponse:
        return await self.client.post(
            "/_matrix/media/v3/upload", data=data, params={"filename": name} if name else {},
            headers={**self.headers[who], "Content-Type": content_type},
        )

    async def uploaded(self, data: Any, content_type: str = "application/octet-stream", name: str | None = None) -> str:
        """Upload and answer ``server/media id``."""
        answer = await self.upload(data, content_type, name)
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["content_uri"]).removeprefix("mxc://")

    async def get(self, path: str, who: str | None = "hanako", **headers: str) -> ClientResponse:
        return await self.client.get(path, headers={**(self.headers[who] if who else {}), **headers})

    async def download(self, place: str, **headers: str) -> ClientResponse:
        return await self.get(f"/_matrix/client/v1/media/download/{place}", **headers)

    async def thumbnail(self, place: str, query: str = "width=96&height=96&method=crop") -> ClientResponse:
        return await self.get(f"/_matrix/client/v1/media/thumbnail/{place}?{query}")

    def files(self) -> list[Path]:
        """Everything that lies in the media folder."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with empty_database(tmp_path / "node.db") as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    limits = LimitSettings(enabled=False, upload_bytes=UPLOAD_LIMIT, media_bytes_per_user=3 * UPLOAD_LIMIT)
    made = Settings(server_name=SERVER, data_dir=tmp_path, limits=limits)
    return dataclasses.replace(made, database=DatabaseSettings(url=f"sqlite+aiosqlite:///{tmp_path}/node.db"))


@pytest.fixture
async def node(database: Database, settings: Settings) -> AsyncIterator[Node]:
    clock = SystemClock()
    accounts = Accounts(database, StreamPositions(0), clock, SERVER, passwords=Passwords(4))
    await accounts.open()
    app = web.Application()
    provide_accounts(app, accounts, settings, clock)
    media_doors.add_routes(Doors(app))
    headers = {}
    for name in ("hanako", "taro"):
        token, _device = await accounts.create_session(await accounts.create_user(name))
        headers[name] = {"Authorization": f"Bearer {token}"}
    async with open_media(settings, database, clock) as services:
        app[MEDIA] = services
        contract = Watch()
        contract.listen_to(app)
        async with TestClient(TestServer(app)) as client:
            yield Node(client, services, settings.media_dir, headers)
            contract.require_no_faults()
