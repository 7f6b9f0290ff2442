"""The body of a request as it arrives: whoever stops sending in its middle is not waited for for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Final, TypeVar

from aiohttp.streams import StreamReader

from server.foundation.errors import Refused

T = TypeVar("T")

# A telephone that changes from one mast to the next is silent for some seconds.
PATIENCE_S: Final = 60.0


async def next_piece(content: StreamReader) -> bytes:
    """What has come next, empty at the end. Raises ``Refused`` (408) where nothing comes for ``PATIENCE_S`` seconds."""
    piece = content.read_nowait()
    if piece or content.at_eof():
        return piece
    return await patiently(content.readany())


async def patiently(arriving: Awaitable[T]) -> T:
    """Something that reads a little of a body; raises ``Refused`` (408) like ``next_piece``."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await arriving
    except TimeoutError:
        raise Refused("The request did not arrive in time", status=408) from None


async def pieces(content: StreamReader) -> AsyncIterator[bytes]:
    """All of them. Raises like ``next_piece``."""
    while piece := await next_piece(content):
        yield piece
