"""Pictures made on the spot, honest ones and hostile ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(
    kind: str, width: int, height: int, mode: str = "RGB", colour: Any = (200, 30, 60), **options: Any
) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, kind, **options)
    return out.getvalue()


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def real_bomb(side: int) -> bytes:
    """A whole PNG of ``side`` times ``side`` white points that is small when packed."""
    packer = zlib.compressobj(9)
    row = b"\x00" + bytes(side * 4)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def gif_of(frames: int) -> bytes:
    """A GIF with many frames of 10 by 10 points."""
    images = [Image.new("L", (10, 10), shade) for shade in (0, 255)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=20)
    data = out.getvalue()
    frame = data[data.index(b"\x21\xf9", data.index(b"\x21\xf9") + 2) : -1]
    return data[:-1] + frame * (frames - 2) + b"\x3b"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
