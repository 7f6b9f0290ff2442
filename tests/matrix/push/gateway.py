"""A push gateway that listens on this machine, keeps what it is told, and answers as a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.builders import Person

PATH = "/_matrix/push/v1/notify"
ALLOWED = '[outgoing]\nallowed_networks = ["127.0.0.0/8"]'
PATIENCE_S = 60

Json = dict[str, Any]


class Gateway:
    """``async with`` it."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Json] = asyncio.Queue()
        # Answers in the order of the requests; after them, all is taken.
        self.answers: list[Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.server: TestServer

    async def __aenter__(self) -> Gateway:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self.server = TestServer(app)
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        said = await request.json()
        assert (request.method, request.path) == ("POST", PATH)
        self.told.put_nowait(said["notification"])
        if self.answers:
            return await self.answers.pop(0)(request)
        return web.json_response({"rejected": []})

    def then(self, answer: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer the next request so."""

        async def answered(_request: web.Request) -> web.StreamResponse:
            return web.json_response(answer if answer is not None else {}, status=status, headers=headers)

        self.answers.append(answered)

    async def next(self) -> Json:
        """The next notification."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.told.get()

    async def texts(self, count: int) -> list[str]:
        """What the next notifications say."""
        return [(await self.next())["content"]["body"] for _ in range(count)]

    @property
    def url(self) -> str:
        return str(self.server.make_url(PATH))


def pusher(gateway: Gateway, **more: Any) -> Json:
    """The body of a request that sets a pusher."""
    return {
        "kind": "http", "app_id": "org.example.app", "pushkey": "key", "lang": "ja", "app_display_name": "App",
        "device_display_name": "Phone", "data": {"url": gateway.url, **more.pop("data", {})}, **more,
    }


async def has_pusher(person: Person, gateway: Gateway, **more: Any) -> None:
    """Let a person be told by a gateway."""
    answer = await person.post("v3/pushers/set", pusher(gateway, **more))
    assert answer.status == 200, answer


async def pushkeys(person: Person) -> list[str]:
    """Whose pushers a person has."""
    return [item["pushkey"] for item in (await person.get("v3/pushers"))["pushers"]]
