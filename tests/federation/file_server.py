"""A server that has files to give, right or wrong, and knows nothing of signatures."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.federation.town import CERTIFICATES, free_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SIGNED = "/_matrix/federation/v1/media/download/"
BOUNDARY = "sakura"


class FileServer:
    """``gives`` says how a path is answered; the longest beginning counts. What was asked is in ``asked``."""

    def __init__(self) -> None:
        self.port = free_port()
        self.name = f"127.0.0.1:{self.port}"
        self.asked: list[web.Request] = []
        self.gives: dict[str, Handler] = {}
        self.closing = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        for beginning in sorted(self.gives, key=len, reverse=True):
            if request.path.startswith(beginning):
                return await self.gives[beginning](request)
        return web.json_response({"errcode": "M_UNRECOGNIZED", "error": "?"}, status=404)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked if request.path.startswith(("/_matrix", "/elsewhere"))]


@asynccontextmanager
async def file_server() -> AsyncIterator[FileServer]:
    """A running one, with TLS."""
    server = FileServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / "certificate.pem", CERTIFICATES / "private_key.pem")
    await web.TCPSite(runner, "127.0.0.1", server.port, ssl_context=context).start()
    try:
        yield server
    finally:
        server.closing.set()
        await runner.cleanup()


def parts(content: bytes, content_type: str = "image/png", **more: str) -> bytes:
    """A whole answer as it should be."""
    headers = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in more.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--{BOUNDARY}\r\n{lines}\r\n".encode()
        + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    )


def says(body: bytes, content_type: str = f"multipart/mixed; boundary={BOUNDARY}", status: int = 200,
         **headers: str) -> Handler:
    """Answer always the same."""
    told = {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=told, status=status)

    return answer


def says_for_ever(
    server: FileServer, begin: bytes, piece: bytes, sent: list[int], length: int | None = None
) -> Handler:
    """Answer without an end; ``sent`` counts the bytes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"})
        response.content_length = length
        await response.prepare(request)
        await response.write(begin)
        while not server.closing.is_set():
            await response.write(piece)
            sent.append(len(piece))
            await asyncio.sleep(0)
        return response

    return answer


def says_nothing_more(server: FileServer, begin: bytes) -> Handler:
    """Begin, and then be silent."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"})
        await response.prepare(request)
        await response.write(begin)
        await server.closing.wait()
        return response

    return answer
