"""A photo that nobody has taken: cherry trees along a river, drawn when the demo is set up."""

from __future__ import annotations

import io
import random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

_SIZE: Final = (1280, 853)
_HORIZON: Final = 430
_SKY: Final = ((150, 197, 235), (240, 246, 250))
_RIVER: Final = ((120, 165, 190), (70, 110, 140))
_PETALS: Final = ((250, 200, 215), (245, 180, 200), (255, 222, 232), (238, 160, 185))


def cherry_trees() -> bytes:
    """A JPEG of about 100 kB, the same one every time."""
    chance = random.Random("花見")  # noqa: S311 - nothing here is secret
    image = Image.new("RGB", _SIZE)
    draw = ImageDraw.Draw(image)
    _fade(draw, 0, _HORIZON, *_SKY)
    draw.polygon([(0, 430), (300, 300), (620, 400), (900, 280), (1280, 420), (1280, 430)], fill=(150, 175, 170))
    draw.rectangle((0, _HORIZON, _SIZE[0], 560), fill=(120, 160, 90))
    _fade(draw, 560, _SIZE[1], *_RIVER)
    for trunk in range(90, _SIZE[0], 220):
        _tree(draw, chance, trunk + chance.randint(-30, 30))
    for _ in range(500):
        _dot(draw, chance, chance.randint(0, _SIZE[0]), chance.randint(560, _SIZE[1]), 3)
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1)).save(out, "JPEG", quality=82)
    return out.getvalue()


def _fade(
    draw: ImageDraw.ImageDraw, top: int, bottom: int, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    for y in range(top, bottom):
        part = (y - top) / (bottom - top)
        red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, last, strict=True))
        draw.line(((0, y), (_SIZE[0], y)), fill=(red, green, blue))


def _tree(draw: ImageDraw.ImageDraw, chance: random.Random, x: int) -> None:
    draw.polygon([(x - 16, 560), (x + 16, 560), (x + 7, 330), (x - 7, 330)], fill=(85, 60, 50))
    for _ in range(900):
        _dot(draw, chance, round(chance.gauss(x, 75)), round(chance.gauss(310, 60)), 13)


def _dot(draw: ImageDraw.ImageDraw, chance: random.Random, x: int, y: int, most: int) -> None:
    radius = chance.randint(2, most)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.choice(_PETALS))
