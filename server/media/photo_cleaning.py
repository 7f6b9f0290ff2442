"""Taking out of a photo what its picture does not show: where it was taken, with what, and when.

A camera writes that at the beginning of a JPEG file (Exif 2.3, JFIF 1.02: markers APP1 to APP15 and COM). Which way up
the picture is stays, since otherwise portraits would lie on their side. Other formats pass as they are: cameras write
JPEG.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Final

_START: Final = b"\xff\xd8"
_APP0, _APP2, _APP14, _COM = 0xE0, 0xE2, 0xEE, 0xFE
_SCAN: Final = 0xDA
_PROFILE: Final = b"ICC_PROFILE\0"
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
# Cameras put a small picture and their own notes there; what is longer is refused by nobody, but passes unread.
_MOST_HEAD: Final = 4 * 2**20


async def cleaned(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same file piece by piece, without what a camera says of itself."""
    head, is_done = bytearray(), False
    async for chunk in chunks:
        if is_done:
            yield chunk
            continue
        head += chunk
        clean = clean_head(bytes(head))
        if clean is not None or len(head) > _MOST_HEAD:
            is_done = True
            yield bytes(head) if clean is None else clean
    if not is_done and head:
        yield bytes(head)


def clean_head(data: bytes) -> bytes | None:
    """``data`` from the beginning of a file, cleaned; ``None`` while its head has not wholly come.

    What is no JPEG, or is broken, comes back as it is.
    """
    if not data.startswith(_START):
        return data if len(data) >= len(_START) else None
    kept, at, turn = bytearray(_START), 2, 1
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == _SCAN:
            first = bytes(kept[2:])
            return b"".join([_START, _exif_of(turn), first, data[at:]])
        end = at + 2 + int.from_bytes(data[at + 2:at + 4])
        if end > len(data):
            return None
        body = data[at + 4:end]
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
