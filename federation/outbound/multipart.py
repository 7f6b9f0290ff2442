"""Reading ``multipart/mixed`` (RFC 2046, section 5.1) as it arrives, and believing nothing of it.

Never more than one piece and a few kilobytes are held in memory, whatever arrives and however it is cut.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final

from server.rooms.ports import PeerFailed

_MOST_HEADERS: Final = 16 * 1024
# RFC 2046: what comes before the first boundary is to be ignored; nobody needs much of it.
_MOST_BEFORE: Final = 4 * 1024
# RFC 2046, section 5.1.1.
_BOUNDARY: Final = re.compile(
    r"""multipart/mixed\s*(?:;[^"]*?)?;\s*boundary=(?:"([0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-])\""""
    r"""|([0-9A-Za-z'+_.-]{1,70}))\s*(?:;.*)?""",
    re.IGNORECASE,
)


def boundary_in(content_type: str) -> str | None:
    """The boundary that a ``Content-Type`` header names, if it is ``multipart/mixed``."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    return None if found is None else found[1] or found[2]


class Parts:
    """The parts of a body, one after the other: ``begin``, then all ``chunks``, then the next."""

    def __init__(self, chunks: AsyncIterator[bytes], boundary: str) -> None:
        self._chunks = chunks
        self._mark = b"\r\n--" + boundary.encode("ascii")
        # So that a boundary in the very first line looks like every other.
        self._held = bytearray(b"\r\n")
        self._began = False

    async def begin(self) -> Mapping[str, str]:
        """The headers of the next part, their names in small letters. Raises ``PeerFailed`` where there is none."""
        if not self._began:
            await self._until(self._mark, _MOST_BEFORE)
            self._began = True
        rest = await self._until(b"\r\n", _MOST_HEADERS)
        if rest.strip(b" \t"):
            raise _broken("no further part")
        self._held[:0] = b"\r\n"
        block = await self._until(b"\r\n\r\n", _MOST_HEADERS)
        return _headers(block)

    async def whole(self, limit: int) -> bytes:
        """The content of the part that has begun, at most ``limit`` bytes."""
        found = bytearray()
        async for chunk in self.chunks():
            found += chunk
            if len(found) > limit:
                raise _broken("a part is too large")
        return bytes(found)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content of the part that has begun. Raises ``PeerFailed`` where it breaks off."""
        # An empty part: its boundary's line break is the one that ended the headers.
        self._held[:0] = b"\r\n"
        first = True
        while True:
            place = self._held.find(self._mark)
            safe = place if place >= 0 else len(self._held) - len(self._mark) + 1
            start = 2 if first else 0
            if safe > start or (place >= 0 and first):
                piece = bytes(self._held[start:safe])
                del self._held[:safe]
                first = False
                if piece:
                    yield piece
            if place >= 0:
                del self._held[: len(self._mark)]
                return
            await self._more()

    async def _until(self, mark: bytes, most: int) -> bytes:
        while (place := self._held.find(mark)) < 0:
            if len(self._held) > most:
                raise _broken("headers are too large")
            await self._more()
        if place > most:
            raise _broken("headers are too large")
        found = bytes(self._held[:place])
        del self._held[: place + len(mark)]
        return found

    async def _more(self) -> None:
        chunk = await anext(self._chunks, b"")
        if not chunk:
            raise _broken("the body ends in its middle")
        self._held += chunk


def _headers(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _broken(detail: str) -> PeerFailed:
    return PeerFailed("The other server did not answer as it should", detail=detail)
