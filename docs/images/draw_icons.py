"""Draws the app's icons (server/web/static/icon-*.png): the clipboard of ``icon.svg`` in all sizes.

Run it after a change: ``python docs/images/draw_icons.py``.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

_TO = Path(__file__).parents[2] / "server/web/static"
_GREEN, _WHITE, _CREAM = "#0a5c36", "#ffffff", "#fdeccb"


def draw(size: int, *, maskable: bool) -> Image.Image:
    """Four times as large and made smaller, so that edges are smooth. A maskable one fills the square."""
    unit = 4 * size / 64
    picture = Image.new("RGBA", (4 * size, 4 * size), _GREEN if maskable else (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)

    def place(*at: float) -> tuple[float, ...]:
        shrink = 0.75 if maskable else 1.0
        return tuple((32 + (value - 32) * shrink) * unit for value in at)

    if not maskable:
        pen.rounded_rectangle(place(0, 0, 64, 64), 12 * unit, fill=_GREEN)
    pen.rounded_rectangle(place(14, 12, 50, 54), 3 * unit, fill=_WHITE)
    pen.rounded_rectangle(place(24, 7, 40, 16), 3 * unit, fill=_CREAM)
    for top, right in ((25, 44), (33, 44), (41, 35)):
        pen.rounded_rectangle(place(18, top - 2, right + 2, top + 2), 2 * unit, fill=_GREEN)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for size in (180, 192, 512):
        draw(size, maskable=size == 180).save(_TO / f"icon-{size}.png", optimize=True)
    draw(512, maskable=True).save(_TO / "icon-maskable-512.png", optimize=True)
