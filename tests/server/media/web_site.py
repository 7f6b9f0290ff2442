"""A web site on this machine, with pages of all kinds, and names that lead to it."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections import Counter
from ipaddress import ip_network
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from server.foundation.outgoing import Outgoing
from tests.server.media.pictures import picture

LOOPBACK: Final = ip_network("127.0.0.0/8")
PHOTO: Final = picture("PNG", 120, 80)
ARTICLE: Final = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>題名</title>
<meta property="og:title" content="秋の清掃のお知らせ"><meta property="og:description" content="十月五日、朝八時から">
<meta property="og:site_name" content="桜町"><meta property="og:type" content="article">
<meta property="og:image" content="/photo.png"><meta property="og:image:width" content="9999">
</head><body><p>本文</p></body></html>"""


class Names(AbstractResolver):
    """Every name leads to the same address."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self._address = address

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        return [{
            "hostname": host, "host": self._address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0,
        }]

    async def close(self) -> None:
        pass


class WebSite:
    """Serves what it is given, and counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.heard: list[dict[str, str]] = []
        self._pages: dict[str, tuple[bytes, dict[str, str], int]] = {}
        self._closing = asyncio.Event()
        app = web.Application()
        app.router.add_get("/drip", self._drip)
        app.router.add_get("/{path:.*}", self._answer)
        self._server = TestServer(app)

    async def open(self) -> None:
        await self._server.start_server()
        self.put("/article", ARTICLE)
        self.put("/photo.png", PHOTO, "image/png")

    async def close(self) -> None:
        self._closing.set()
        await self._server.close()

    @property
    def port(self) -> int:
        assert self._server.port is not None
        return self._server.port

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(
        self, path: str, content: str | bytes, content_type: str = "text/html; charset=utf-8", status: int = 200,
        **headers: str,
    ) -> str:
        """Serve ``content`` at ``path``; the answer is its address."""
        data = content.encode() if isinstance(content, str) else content
        told = {"Content-Type": content_type} if content_type else {}
        self._pages[path] = (data, {**told, **headers}, status)
        return self.url(path)

    def send_on(self, path: str, onward: str, status: int = 302) -> str:
        return self.put(path, b"", status=status, Location=onward)

    def pack(self, path: str, data: bytes) -> str:
        """The same data gzipped."""
        headers = {"Content-Encoding": "gzip"}
        return self.put(path, gzip.compress(data), "text/html", 200, **headers)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        self.heard.append(dict(request.headers))
        data, headers, status = self._pages.get(request.path, (b"not here", {}, 404))
        return web.Response(body=data, headers=headers, status=status)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        """A letter, and then nothing for ever."""
        answer = web.StreamResponse(headers={"Content-Type": "text/html"})
        await answer.prepare(request)
        await answer.write(b"<title>slow")
        await self._closing.wait()
        return answer


def friendly() -> Outgoing:
    """Goes also where a web site of a test is."""
    return Outgoing([LOOPBACK], resolver=Names())
