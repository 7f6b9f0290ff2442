"""Runs in the worker process only: the codes that a photo of slips shows."""

from __future__ import annotations

import io
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageFilter, ImageOps

from server.foundation.errors import InvalidParam

# Photos of telephones have up to 50 million points; what a code needs is far less.
_MOST_POINTS: Final = 80_000_000
_LONGEST: Final = 3_000
_LARGER: Final = 4_400
# Against grains of a dark photo, and against a hand that was not still.
_CALMER: Final = ImageFilter.BoxBlur(1)
_SHARPER: Final = ImageFilter.UnsharpMask(10, 300, 2)
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
    larger = _enlarged(grey)
    # What one look misses in bad light another finds, and of several slips none may be missed.
    texts = _texts(grey) + _texts(larger.filter(_CALMER)) or _texts(larger.filter(_SHARPER))
    return {"texts": list(dict.fromkeys(texts))[:_MOST_CODES]}, b""


def _texts(picture: Image.Image) -> list[str]:
    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=kinds)]


def _enlarged(picture: Image.Image) -> Image.Image:
    """More points for a small code, smooth between those that there are."""
    factor = min(2.0, _LARGER / max(picture.size))
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC)
