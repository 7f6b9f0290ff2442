"""Runs in the worker process only: makes a small picture of one from a stranger, with Pillow.

Only the decoder of the format that the first bytes name is let at the file. Metadata (where the photo was taken) is
dropped; the first frame stands for an animation, unless a moving picture is asked for.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps, ImageSequence

from server.foundation.errors import Refused, TooLarge

_ORIENTATION: Final = 0x0112  # EXIF tag; values 5 to 8 lie on their side
_JPEG_QUALITY: Final = 80
# What a moving picture may have to stay one: all its frames together in pixels, and their number.
_MOVING_PIXELS: Final = 100_000_000
_MOST_FRAMES: Final = 200

Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded


def make(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """The picture at ``path`` in ``width`` × ``height`` by ``method``, as JPEG, or as PNG where it is see-through; as
    WebP where it moves and shall be ``animated``.

    Answers ``ending`` and the bytes. Raises ``Refused`` for what cannot be read, ``TooLarge`` above ``max_pixels``.
    """
    try:
        with Image.open(values["path"], formats=[_format_of(values["path"])]) as image:
            if image.width * image.height > values["max_pixels"]:
                raise TooLarge("The picture has too many pixels to make it small")
            if values["animated"] and _may_move(image):
                return _moving(image, values["width"], values["height"], crop=values["method"] == "crop")
            profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
            small = _made_small(image, values["width"], values["height"], crop=values["method"] == "crop")
            return _encoded(small, profile)
    except Refused:
        raise
    except Exception as fault:
        raise Refused("No thumbnail can be made of this file", code="M_UNKNOWN") from fault


def _may_move(image: Image.Image) -> bool:
    frames: int = getattr(image, "n_frames", 1)
    return 1 < frames <= _MOST_FRAMES and frames * image.width * image.height <= _MOVING_PIXELS


def _moving(image: Image.Image, width: int, height: int, *, crop: bool) -> tuple[dict[str, Any], bytes]:
    """All frames, as WebP (spec: "Servers SHOULD prefer to return image/webp thumbnails")."""
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(int(frame.info.get("duration") or 100))
        plain = frame.convert("RGBA")
        if crop:
            plain = _cropped(plain, width, height)
        else:
            plain.thumbnail((width, height), Image.Resampling.LANCZOS)
        frames.append(plain)
    out = io.BytesIO()
    loop = int(image.info.get("loop", 1))
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=loop, exif=b"")
    return {"ending": ".webp"}, out.getvalue()


def _format_of(path: str) -> str:
    with Path(path).open("rb") as file:
        start = file.read(12)
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG"):
        return "PNG"
    return "GIF" if start.startswith(b"GIF8") else "WEBP"


def _made_small(image: Image.Image, width: int, height: int, *, crop: bool) -> Image.Image:
    if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
        width, height = height, width
    image.draft("RGB", (width, height))  # a JPEG is decoded at an eighth where that is enough
    plain = _plain(image)
    if crop:
        plain = _cropped(plain, width, height)
    else:
        plain.thumbnail((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return ImageOps.exif_transpose(_with_orientation(plain, image))


def _plain(image: Image.Image) -> Image.Image:
    """In colours that can be mixed: RGB, or RGBA where it is see-through."""
    see_through = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    mode = "RGBA" if see_through else "RGB"
    return image if image.mode == mode else image.convert(mode)  # converting always copies: 200 MB of a large one


def _cropped(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of the picture in the asked proportions; never larger than it was."""
    factor = min(1.0, image.width / width, image.height / height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _with_orientation(small: Image.Image, original: Image.Image) -> Image.Image:
    orientation = original.getexif().get(_ORIENTATION, 1)
    small.getexif()[_ORIENTATION] = orientation
    return small


def _encoded(image: Image.Image, profile: bytes | None) -> tuple[dict[str, Any], bytes]:
    """With its colour profile (telephones take photos in Display P3) and nothing else that came with the file."""
    out = io.BytesIO()
    image.info = {}
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        image.save(out, "PNG", optimize=True, icc_profile=profile)
        return {"ending": ".png"}, out.getvalue()
    image.convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY, optimize=True, progressive=True, icc_profile=profile)
    return {"ending": ".jpg"}, out.getvalue()
