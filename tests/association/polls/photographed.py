"""Printed paper as telephones see it: rendered from the real PDF, then askew, turned, dark, grainy, blurred."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

_TABLE = (120, 96, 72)


@dataclass(frozen=True, slots=True)
class Look:
    """How a photo is taken. ``askew``: how far the corners are away from a rectangle, as a part of the width; ``light``
    from 0 to 1, and ``shadow`` how much less of it there is at the right; ``noise``: its deviation; ``blur`` in points
    of a picture that is ``width`` wide; ``is_sideways``: the telephone was held so, and has noted it.
    """

    turned: float = 0.0
    askew: float = 0.0
    light: float = 1.0
    shadow: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    width: int = 1600
    quality: int = 80
    is_sideways: bool = False


def page_of(pdf: bytes, renderer: Path, dpi: int = 150) -> Image.Image:
    """The first page of a document, as it comes out of a printer."""
    command = [str(renderer), "-png", "-r", str(dpi), "-f", "1", "-l", "1", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def photographed(page: Image.Image, look: Look) -> Image.Image:
    """A page on a table."""
    margin = page.width // 6
    table = Image.new("RGB", (page.width + 2 * margin, page.height + 2 * margin), _TABLE)
    table.paste(page, (margin, margin))
    seen = table.rotate(look.turned, Image.Resampling.BICUBIC, expand=True, fillcolor=_TABLE)
    seen = _askew(seen, look.askew)
    seen.thumbnail((look.width, look.width * 2))
    seen = _lit(seen, look).filter(ImageFilter.GaussianBlur(look.blur))
    if look.noise:
        seen = ImageChops.add(seen, _noise(seen.size, look.noise), offset=-128)
    return seen


def as_photo(seen: Image.Image, look: Look) -> bytes:
    """The file that a telephone makes of it."""
    exif = Image.Exif()
    if look.is_sideways:
        seen = seen.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = 6
    out = io.BytesIO()
    seen.save(out, "JPEG", quality=look.quality, exif=exif)
    return out.getvalue()


def _lit(seen: Image.Image, look: Look) -> Image.Image:
    ramp = Image.linear_gradient("L").rotate(90).resize(seen.size)  # white on the left
    light = ramp.point([round(255 * look.light * (1 - look.shadow * (255 - value) / 255)) for value in range(256)])
    return ImageChops.multiply(seen, Image.merge("RGB", [light] * 3))


def _noise(size: tuple[int, int], deviation: float) -> Image.Image:
    """Grey around 128, the same each time."""
    grain, side = random.Random(7), 128
    tile = Image.new("L", (side, side))
    tile.putdata([min(255, max(0, round(grain.gauss(128, deviation)))) for _ in range(side * side)])
    noise = Image.new("L", size)
    for left in range(0, size[0], side):
        for top in range(0, size[1], side):
            noise.paste(tile, (left, top))
    return Image.merge("RGB", [noise] * 3)


def _askew(seen: Image.Image, askew: float) -> Image.Image:
    if not askew:
        return seen
    width, height = seen.size
    off = askew * width
    corners = [(off, off / 2), (width - off / 3, 0), (width, height - off / 2), (0, height)]
    whole = [(0, 0), (width, 0), (width, height), (0, height)]
    return seen.transform(
        seen.size, Image.Transform.PERSPECTIVE, _coefficients(corners, whole), Image.Resampling.BICUBIC,
        fillcolor=_TABLE)


def _coefficients(shown: Sequence[tuple[float, float]], taken: Sequence[tuple[float, float]]) -> list[float]:
    """What Pillow wants: for each point that is shown, where it is taken from."""
    rows = []
    for (x, y), (u, v) in zip(shown, taken, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]]
    for column in range(8):
        best = max(range(column, 8), key=lambda row: abs(rows[row][column]))
        rows[column], rows[best] = rows[best], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(8):
            if row != column:
                rows[row] = [a - rows[row][column] * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[8] for row in rows]
