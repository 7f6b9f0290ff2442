"""HTTP/1.1 clients of the load generator: a raw one, cheap enough for 1,500 who wait, and aiohttp's as a check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

import aiohttp

_IDLE_BEFORE_REOPENING_S = 30.0
_HEAD_END = b"\r\n\r\n"


class Answer(NamedTuple):
    """Status code and whole body of one response."""

    status: int
    body: bytes


class HttpClient(Protocol):
    """One connection's worth of requests, one at a time."""

    async def call(self, method: str, path: str, token: str, body: bytes) -> Answer:
        """Sends one request and waits for the whole answer."""

    async def close(self) -> None:
        """Closes the connection."""


HttpClientFactory = Callable[[int], HttpClient]


class RawHttpClient:
    """A keep-alive connection to 127.0.0.1 without any HTTP library: bytes out, bytes in."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._wire: _Wire | None = None
        self._turn = asyncio.Lock()

    async def call(self, method: str, path: str, token: str, body: bytes) -> Answer:
        """Sends one request and waits for the whole answer; raises ConnectionError when the server hangs up."""
        async with self._turn:
            wire = await self._open_wire()
            return await wire.ask(_request_bytes(self._port, method, path, token, body))

    async def close(self) -> None:
        """Closes the connection."""
        if self._wire is not None:
            self._wire.hang_up()

    async def _open_wire(self) -> _Wire:
        # Servers close connections that rest too long; reopening before that keeps the race out of the figures.
        wire = self._wire
        if wire is None or wire.closed or time.perf_counter() - wire.used_at > _IDLE_BEFORE_REOPENING_S:
            await self.close()
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(_Wire, "127.0.0.1", self._port)
            self._wire = wire
        return wire


class AiohttpClient:
    """The same through aiohttp's client, which refuses answers that are not valid HTTP."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._session: aiohttp.ClientSession | None = None

    async def call(self, method: str, path: str, token: str, body: bytes) -> Answer:
        """Sends one request and waits for the whole answer; the body of a JSON answer must be JSON."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=1)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=300))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = self._origin + path
        async with self._session.request(method, url, data=body or None, headers=headers) as response:
            if response.content_type != "application/json":
                raise ValueError(f"{method} {path} answered {response.content_type}, not JSON")
            await response.json()
            return Answer(response.status, await response.read())

    async def close(self) -> None:
        """Closes the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class _Wire(asyncio.Protocol):
    """Reads one response at a time; knows Content-Length and chunked bodies."""

    def __init__(self) -> None:
        self.closed = False
        self.used_at = time.perf_counter()
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[Answer] | None = None
        self._buffer = bytearray()
        self._body_start = 0
        self._end = 0

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Writes a request; the future has the answer."""
        if self._transport is None or self.closed:
            raise ConnectionError("the connection is closed")
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answered

    def hang_up(self) -> None:
        """Closes the connection from this side."""
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # uvloop's transports are transports without being asyncio.Transport.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.closed = True
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("the server closed the connection before answering"))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        if not self._body_start:
            self._read_head()
        if not self._body_start:
            return
        if self._end < 0:
            if self._buffer.endswith(b"0\r\n\r\n"):
                self._finish(_joined_chunks(bytes(self._buffer[self._body_start :])))
        elif len(self._buffer) >= self._end:
            self._finish(bytes(self._buffer[self._body_start : self._end]))

    def _read_head(self) -> None:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        self._body_start = end + len(_HEAD_END)
        _, found, rest = head.partition(b"\r\ncontent-length:")
        self._end = self._body_start + int(rest.split(b"\r\n", 1)[0]) if found else -1

    def _finish(self, body: bytes) -> None:
        answer = Answer(int(self._buffer[9:12]), body)
        self._buffer = bytearray()
        self._body_start = self._end = 0
        self.used_at = time.perf_counter()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(answer)


def _request_bytes(port: int, method: str, path: str, token: str, body: bytes) -> bytes:
    # The headers that a browser or a phone sends, apart from Accept-Encoding: a compressed answer cannot be searched.
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: Mozilla/5.0 (benchmark)",
        "Accept: application/json",
        "Accept-Language: ja",
    ]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body or method != "GET":
        lines.append(f"Content-Type: application/json\r\nContent-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _HEAD_END + body


def _joined_chunks(data: bytes) -> bytes:
    chunks = []
    while data:
        size_text, _, data = data.partition(b"\r\n")
        size = int(size_text.split(b";")[0], 16)
        chunks.append(data[:size])
        data = data[size + 2 :]
    return b"".join(chunks)
