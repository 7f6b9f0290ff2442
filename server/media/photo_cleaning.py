"""Taking out of a photo what its picture does not show: where it was taken, with what, and when.

A camera writes that at the beginning of a JPEG file (Exif 2.3, JFIF 1.02: markers APP1 to APP15 and COM). Which way up
the picture is stays, since otherwise portraits would lie on their side. Other formats pass as they are: cameras write
JPEG.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Final

from server.foundation.errors import InvalidParam

_START: Final = b"\xff\xd8"
_APP0, _APP2, _APP14, _COM = 0xE0, 0xE2, 0xEE, 0xFE
_SCAN: Final = 0xDA
_PROFILE: Final = b"ICC_PROFILE\0"
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
_END: Final = b"\xff\xd9"
# Cameras put small pictures, depths and their own notes there.
_MOST_HEAD: Final = 16 * 2**20


async def cleaned(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same file piece by piece, without what a camera says of itself, also behind the picture: telephones put a
    short film there. Raises ``InvalidParam`` where no picture begins for a long time.
    """
    start = bytearray()
    async for chunk in chunks:
        start += chunk
        parts = clean_head(start)
        if parts is not None:
            break
        if len(start) > _MOST_HEAD:
            raise InvalidParam("この写真は、読めませんでした。ほかの写真をえらんでください")
    else:
        yield bytes(start)
        return
    head, rest = parts
    yield head
    async for piece in _until_end(rest, chunks) if start.startswith(_START) else chunks:
        yield piece


async def _until_end(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A picture up to its end: FF D9 stands nowhere else in it (ITU-T T.81, B.1.1.2); it may lie across two pieces."""
    data, is_over = first, False
    async for chunk in _and_then(chunks):
        if is_over:
            continue
        shown, end, _ = data.partition(_END)
        is_over = bool(end)
        yield shown + end if end else shown[:-1]
        data = shown[-1:] + chunk
    if not is_over:
        yield data


async def _and_then(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """One empty piece more at the end."""
    async for chunk in chunks:
        yield chunk
    yield b""


def clean_head(data: bytes | bytearray) -> tuple[bytes, bytes] | None:
    """``data`` from the beginning of a file: its head, cleaned, and the picture; ``None`` while the head has not wholly
    come. What is no JPEG is all head, and comes back as it is.
    """
    if not data.startswith(_START):
        return (bytes(data), b"") if len(data) >= len(_START) else None
    kept, at, turn = bytearray(), 2, 1
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == _SCAN:
            return _START + _exif_of(turn) + bytes(kept), bytes(data[at:])
        end = at + 2 + int.from_bytes(data[at + 2:at + 4])
        if end > len(data):
            return None
        body = bytes(data[at + 4:end])
        if body.startswith(_EXIF):
            turn = _orientation_in(body[len(_EXIF):])
        if _stays(marker, body):
            kept += data[at:end]
        at = end
    return None


def _stays(marker: int, body: bytes) -> bool:
    """Colours stay (APP0, the colour profile in APP2, Adobe's APP14) and everything of which the picture is made."""
    if marker == _APP2:
        return body.startswith(_PROFILE)
    return marker in (_APP0, _APP14) or not (_APP0 <= marker <= 0xEF or marker == _COM)


def _orientation_in(tiff: bytes) -> int:
    """Which way up it is: 1 to 8 (TIFF 6.0, IFD0)."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(min(count, 100)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _exif_of(turn: int) -> bytes:
    """An Exif block that says nothing but which way up the picture is; nothing where it is upright anyway."""
    if turn == 1:
        return b""
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, turn, 0, 0)
    body = _EXIF + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
