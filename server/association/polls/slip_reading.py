"""Runs in the worker process only: the codes that a photo of slips shows."""

from __future__ import annotations

import io
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageOps

from server.foundation.errors import InvalidParam

# Photos of telephones have up to 50 million points; what a code needs is far less.
_MOST_POINTS: Final = 80_000_000
_LONGEST: Final = 3_000
_MOST_CODES: Final = 50
_KINDS: Final = ("JPEG", "PNG", "WEBP")
_UNREADABLE: Final = "この写真は読めません。もう一度うつしてください"


def codes_in(_values: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """``texts``: what the QR codes of the picture ``data`` say. Raises ``InvalidParam`` for what is no picture."""
    try:
        with Image.open(io.BytesIO(data), formats=_KINDS) as picture:
            if picture.width * picture.height > _MOST_POINTS:
                raise InvalidParam("写真が大きすぎます")
            picture.draft("L", (_LONGEST, _LONGEST))
            grey = ImageOps.exif_transpose(picture).convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidParam(_UNREADABLE) from None
    grey.thumbnail((_LONGEST, _LONGEST))
    found = [code for code in zxingcpp.read_barcodes(grey) if code.format == zxingcpp.BarcodeFormat.QRCode]
    return {"texts": [code.text for code in found[:_MOST_CODES]]}, b""
