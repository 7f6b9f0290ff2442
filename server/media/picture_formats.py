"""Telling pictures by their first bytes, whatever they are called."""

from __future__ import annotations


def picture_format(start: bytes) -> str | None:
    """The format of a picture that begins with ``start`` (12 bytes), of the four that are decoded; else ``None``."""
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return "WEBP" if start[:4] == b"RIFF" and start[8:12] == b"WEBP" else None
