"""A wire between a browser and the node that can be cut: no signal, as a service worker meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """Carries bytes to the node while ``is_up``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = parts.hostname or "", parts.port or 0
        self.is_up = True
        self.loses_answers = False
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """No signal from now on, also for what is on its way."""
        self.is_up = False
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """The signal is back."""
        self.is_up = True
        self.loses_answers = False

    def lose_answers(self) -> None:
        """What is sent arrives; what the node answers gets lost, and with it the signal."""
        self.loses_answers = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the browser."""
        if not self.is_up:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        both = {writer, far_writer}
        self._open |= both
        with suppress(ConnectionError):
            await asyncio.gather(_carry(reader, far_writer), self._carry_back(far_reader, writer))
        self._open -= both


    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.loses_answers:
                self.cut()
            writer.write(data)
            await writer.drain()
        writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    """A wire to the node at ``url``."""
    made = Wire(url)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        made.cut()
        server.close()
