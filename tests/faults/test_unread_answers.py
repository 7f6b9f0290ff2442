"""R12: whoever never reads the answer is not waited for for ever."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.assembly.listening import listening_sockets
from server.foundation.settings import Address
from tests.federation.town import free_port

_PATIENCE_S = 60
_ANSWER = b"x" * 20_000_000


async def test_an_answer_that_nobody_reads_is_given_up_and_others_are_answered() -> None:
    port = free_port()

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=_ANSWER)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for opened in listening_sockets(Address("127.0.0.1", port), patience_ms=500):
        await web.SockSite(runner, opened).start()
    assert runner.server is not None
    lazy = [await _asked(port) for _ in range(3)]
    for _, writer in lazy:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
    reader, writer = await _asked(port)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    async with asyncio.timeout(_PATIENCE_S):
        while runner.server.connections:
            await asyncio.sleep(0.05)
    for _, writer in lazy:
        writer.close()
    await runner.cleanup()


async def _asked(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    return reader, writer
