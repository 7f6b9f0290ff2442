"""An application service for tests: it keeps what it is told, and answers as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.builders import SERVER_NAME, Answer, Person, RunningNode

AS_TOKEN = "as-token-of-the-bridge"
HS_TOKEN = "hs-token-of-the-bridge"
_SECONDS = 60.0

Json = dict[str, Any]
Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def write_registration(folder: Path, more: Json) -> str:
    """A registration file that owns ``_irc_…``; the answer is its path."""
    registration: Json = {
        "id": "irc", "url": None, "as_token": AS_TOKEN, "hs_token": HS_TOKEN, "sender_localpart": "ircbot",
        "rate_limited": False, "protocols": ["irc"],
        "namespaces": {
            "users": [{"regex": "@_irc_.*", "exclusive": True}],
            "aliases": [{"regex": "#_irc_.*", "exclusive": True}],
            "rooms": [],
        },
        **more,
    }
    file = folder / f"{registration['id']}.yaml"
    file.write_text(json.dumps(registration))
    return str(file)


def ghost(name: str) -> str:
    """The id of a ghost."""
    return f"@_irc_{name}:{SERVER_NAME}"


def answering(value: Any, status: int = 200) -> Reply:
    """A reply that is always the same."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status)

    return reply


class AppService:
    """Listens, and keeps the transactions that it has taken: ``(id, body)``. ``async with`` it.

    ``status`` is what it answers to transactions. Other paths are answered by ``replies``, by their first segments
    below ``/_matrix/app/v1``. With ``is_old`` it knows only the old paths.
    """

    def __init__(self) -> None:
        self.transactions: list[tuple[str, Json]] = []
        self.refused: list[tuple[str, Json]] = []
        self.asked: list[str] = []
        self.status = 200
        self.token = HS_TOKEN
        self.is_old = False
        self.replies: dict[str, Reply] = {}
        # It answers to transactions only while this is set.
        self.is_quick = asyncio.Event()
        self.is_quick.set()
        self._changed = asyncio.Condition()
        self._server: TestServer
        self._port: int | None = None

    @property
    def url(self) -> str:
        return str(self._server.make_url("")).rstrip("/")

    async def __aenter__(self) -> AppService:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app, port=self._port)
        await self._server.start_server()
        self._port = self._server.port
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def events(self) -> list[Json]:
        """All events that it has taken."""
        return [event for _txn, body in self.transactions for event in body["events"]]

    @property
    def texts(self) -> list[str]:
        return [event["content"]["body"] for event in self.events if event["type"] == "m.room.message"]

    def ephemeral(self, kind: str) -> list[Json]:
        """All that passes, of one type."""
        found = [item for _txn, body in self.transactions for item in body.get("ephemeral", [])]
        return [item for item in found if item["type"] == kind]

    async def until(self, is_so: Callable[[AppService], Any]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(_SECONDS), self._changed:
            await self._changed.wait_for(lambda: is_so(self))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        old = not request.path.startswith("/_matrix/app/v1")
        if old != self.is_old:
            return web.Response(status=404, text="no such path")
        given = request.query.get("access_token") if old else request.headers["Authorization"].partition(" ")[2]
        if given != self.token:
            return web.json_response({"errcode": "M_FORBIDDEN"}, status=403)
        path = request.path.removeprefix("/_matrix/app/v1").removeprefix("/_matrix/app/unstable")
        kind, _, rest = path[1:].partition("/")
        if kind == "transactions":
            return await self._take(rest, await request.json())
        self.asked.append(f"{kind}/{rest}".rstrip("/"))
        reply = self.replies.get(f"{kind}/{rest.partition('/')[0]}") or self.replies.get(kind)
        if reply is None:
            return web.json_response({"errcode": "M_NOT_FOUND"}, status=404)
        return await reply(request)

    async def _take(self, txn: str, body: Json) -> web.Response:
        async with self._changed:
            taken = self.transactions if self.status == 200 else self.refused
            taken.append((txn, body))
            self._changed.notify_all()
        await self.is_quick.wait()
        return web.json_response({}, status=self.status)


class Registered:
    """Asks the node with the token of the service, as the sender or as one of its ghosts."""

    def __init__(self, node: RunningNode, token: str = AS_TOKEN) -> None:
        self.node = node
        self.token = token

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        return await self.node.ask(method, path, body, token=self.token, **query)

    async def registers(self, name: str, **more: Any) -> Answer:
        """A ghost."""
        body = {"type": "m.login.application_service", "username": f"_irc_{name}", **more}
        return await self.ask("POST", "v3/register", body)

    async def ghosts(self, *names: str) -> list[str]:
        """Several ghosts; the answer is their ids."""
        for name in names:
            assert (await self.registers(name, inhibit_login=True)).status == 200
        return [ghost(name) for name in names]

    async def creates_room(self, user_id: str, **wishes: Any) -> str:
        answer = await self.ask("POST", "v3/createRoom", {"preset": "public_chat", **wishes}, user_id=user_id)
        return str(answer["room_id"])

    async def joins(self, user_id: str, room: str) -> Answer:
        return await self.ask("POST", f"v3/rooms/{room}/join", {}, user_id=user_id)

    async def says(self, user_id: str, room: str, text: str, txn: str, **query: Any) -> Answer:
        path = f"v3/rooms/{room}/send/m.room.message/{txn}"
        return await self.ask("PUT", path, {"msgtype": "m.text", "body": text}, user_id=user_id, **query)

    async def portal(self, *people: Person) -> tuple[str, str]:
        """A ghost and its room, in which these people are."""
        [taro] = await self.ghosts("taro")
        room = await self.creates_room(taro)
        for person in people:
            await person.joins(room)
        return taro, room
