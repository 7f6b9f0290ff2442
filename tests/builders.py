"""Whole nodes on temporary databases, and the people who use them by HTTP. Reads as prose in tests:

    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    event_id = await taro.says(room, "こんにちは")
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server import assembly
from server.config import Settings, parse_settings
from server.foundation.clock import Clock
from server.foundation.signatures import SigningKey
from tests.contract.watching import Watch
from tests.empty_database import lay_down

SERVER_NAME = "sakura.example"
PASSWORD = "cherry-blossom-4"
_txn_ids = itertools.count()

Json = dict[str, Any]


def settings_for(
    folder: Path, *, database: str = "", more: str = "", server_name: str = SERVER_NAME
) -> Settings:
    """A small node's settings: cheap passwords, open registration, no rate limits. ``more`` is further TOML."""
    sections = {
        "[passwords]": "cost = 4", "[limits]": "enabled = false", "[registration]": 'mode = "open"',
        "[database]": f'url = "{database}"' if database else "",
    }
    toml = f'server_name = "{server_name}"\n{more}\n'
    toml += "".join(f"{name}\n{body}\n" for name, body in sections.items() if body and name not in more)
    settings = parse_settings(toml, folder)
    if not settings.signing_key_file.exists():
        settings.signing_key_file.write_text(SigningKey.generate().line())
    return settings


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The Matrix error code."""
        return self.body.get("errcode") if isinstance(self.body, dict) else None

    @property
    def refusal(self) -> tuple[int, str | None]:
        """Status and error code, to be compared in one line."""
        return self.status, self.code

    def __getitem__(self, name: str) -> Any:
        assert self.status == 200, self
        return self.body[name]


class Person:
    """Somebody who is logged in on one device."""

    def __init__(self, node: RunningNode, user_id: str, token: str, device_id: str) -> None:
        self.node = node
        self.user_id = user_id
        self.token = token
        self.device_id = device_id

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        return await self.node.ask(method, path, body, token=self.token, **query)

    async def get(self, path: str, **query: Any) -> Answer:
        return await self.ask("GET", path, **query)

    async def put(self, path: str, body: Any = None, **query: Any) -> Answer:
        return await self.ask("PUT", path, {} if body is None else body, **query)

    async def post(self, path: str, body: Any = None, **query: Any) -> Answer:
        return await self.ask("POST", path, {} if body is None else body, **query)

    async def delete(self, path: str, **query: Any) -> Answer:
        return await self.ask("DELETE", path, **query)

    async def creates_room(self, **wishes: Any) -> str:
        """A room; the answer is its id."""
        return str((await self.post("v3/createRoom", wishes))["room_id"])

    async def invites(self, other: Person, room: str) -> None:
        assert (await self.post(f"v3/rooms/{room}/invite", {"user_id": other.user_id})).status == 200

    async def joins(self, room: str) -> None:
        answer = await self.post(f"v3/join/{quote(room)}")
        assert answer.status == 200, answer

    async def leaves(self, room: str) -> None:
        assert (await self.post(f"v3/rooms/{room}/leave")).status == 200

    async def sends(self, room: str, kind: str, content: Json, txn: str | None = None) -> Answer:
        return await self.put(f"v3/rooms/{room}/send/{kind}/{txn or f'txn{next(_txn_ids)}'}", content)

    async def says(self, room: str, text: str, **more: Any) -> str:
        """A text message; the answer is its event id."""
        content = {"msgtype": "m.text", "body": text, **more}
        return str((await self.sends(room, "m.room.message", content))["event_id"])

    async def sets(self, room: str, kind: str, content: Json, state_key: str = "") -> Answer:
        return await self.put(f"v3/rooms/{room}/state/{kind}/{quote(state_key, safe='')}", content)

    async def redacts(self, room: str, event_id: str, **content: Any) -> Answer:
        return await self.put(f"v3/rooms/{room}/redact/{event_id}/txn{next(_txn_ids)}", content)

    async def reads(self, room: str, event_id: str, kind: str = "m.read", **body: Any) -> Answer:
        return await self.post(f"v3/rooms/{room}/receipt/{kind}/{event_id}", body)

    async def syncs(self, since: str | None = None, *, timeout: int = 0, wanted: Any = None, **query: Any) -> Sync:
        """An answer of ``/sync``; ``wanted`` is a filter or the id of one."""
        if since is not None:
            query["since"] = since
        if wanted is not None:
            query["filter"] = wanted if isinstance(wanted, str) else json.dumps(wanted)
        answer = await self.get("v3/sync", timeout=str(timeout), **query)
        assert answer.status == 200, answer
        return Sync(answer.body)


class Sync:
    """What ``/sync`` has answered."""

    def __init__(self, body: Json) -> None:
        self.body = body
        self.token: str = body["next_batch"]

    def rooms(self, kind: str = "join") -> dict[str, Json]:
        found: dict[str, Json] = self.body.get("rooms", {}).get(kind, {})
        return found

    def room(self, room: str, kind: str = "join") -> Json:
        return self.rooms(kind)[room]

    def timeline(self, room: str, kind: str = "join") -> list[Json]:
        found: list[Json] = self.rooms(kind).get(room, {}).get("timeline", {}).get("events", [])
        return found

    def texts(self, room: str, kind: str = "join") -> list[str]:
        return [event["content"]["body"] for event in self.timeline(room, kind) if "body" in event["content"]]

    def state(self, room: str, kind: str = "join", *, name: str = "state") -> dict[tuple[str, str], Json]:
        events = self.rooms(kind).get(room, {}).get(name, {}).get("events", [])
        return {(event["type"], event["state_key"]): event for event in events}

    def ephemeral(self, room: str, kind: str) -> Json | None:
        for event in self.rooms().get(room, {}).get("ephemeral", {}).get("events", []):
            if event["type"] == kind:
                return dict(event["content"])
        return None


class RunningNode:
    """A whole node, listening on ``port`` or one of its own. ``async with`` it."""

    def __init__(self, settings: Settings, clock: Clock | None = None, *, port: int | None = None) -> None:
        self.settings = settings
        self._port = port
        self._clock = clock
        self._closing = AsyncExitStack()
        self.inside: assembly.Node
        self.client: TestClient[web.Request, web.Application]
        self.contract = Watch()
        # Further places to listen at, before the node goes on with what others are to hear of.
        self.listen_more: Callable[[web.BaseRunner], Awaitable[None]] | None = None

    async def __aenter__(self) -> RunningNode:
        await lay_down(self.settings.database.url)
        self.inside = await self._closing.enter_async_context(assembly.build(self.settings, self._clock))
        app = assembly.make_app(self.inside)
        self.contract.listen_to(app)
        self.client = TestClient(TestServer(app, port=self._port))
        await self.client.start_server()
        runner = self.client.server.runner
        if self.listen_more is not None and runner is not None:
            await self.listen_more(runner)
        await self.inside.resume()
        return self

    async def __aexit__(self, *failure: object) -> None:
        self.inside.services.sync.stop_waiting()
        await self.client.close()
        await self._closing.aclose()
        if not any(failure):
            self.contract.require_no_faults()

    async def restart(self) -> None:
        """Stop, and start again on the same database. Tokens of people stay good."""
        await self.__aexit__()
        self._closing = AsyncExitStack()
        await self.__aenter__()

    @property
    def url(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any
    ) -> Answer:
        """One request; a path without a slash is meant below ``/_matrix/client/``. Bytes go out as they are."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        full = path if path.startswith("/") else f"/_matrix/client/{path}"
        given = {"data": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        async with self.client.request(method, full, headers=headers, params=query, **given) as response:
            raw = await response.read()
            self.contract.require_no_faults()
            assert not full.startswith("/_matrix/") or "Access-Control-Allow-Origin" in response.headers, full
            return Answer(response.status, json.loads(raw) if raw else None, dict(response.headers))

    async def user(self, name: str, device_id: str | None = None) -> Person:
        """Somebody with an account and one device more than before."""
        user_id = f"@{name}:{self.settings.server_name}"
        accounts = self.inside.accounts
        if not await accounts.user_exists(user_id):
            await accounts.create_user(name, PASSWORD)
        token, device = await accounts.create_session(user_id, device_id)
        return Person(self, user_id, token, device)

    async def users(self, *names: str) -> Sequence[Person]:
        """Several people at once."""
        return [await self.user(name) for name in names]
