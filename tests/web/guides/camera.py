"""What a window shows: where the things are that one may press, what they are called, and a picture of it.

Places are measured in the moment of the picture, never drawn by hand.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageFilter
from playwright.async_api import FloatRect, Locator, Page

# Letters of pages are few colours and their soft edges.
_COLOURS: Final = 48
_MARGIN: Final = 12
# From which difference of neighbouring pixels on it is an edge, of 255.
_EDGE: Final = 60
# The first words of a button or a tile, or of what stands above a field.
_LABEL: Final = """(item) => {
  if (!item.matches('a, button, summary, label, input, select, textarea')) return '';
  const named = item.labels && item.labels.length ? item.labels[0] : item;
  const texts = document.createTreeWalker(named, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) if (texts.currentNode.data.trim()) return texts.currentNode.data.trim();
  return '';
}"""


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a picture in CSS pixels."""

    x: float
    y: float
    width: float
    height: float

    def lies_within(self, width: float, height: float) -> bool:
        """Whether all of it is on a picture of that size."""
        return self.x >= 0 and self.y >= 0 and self.x + self.width <= width and self.y + self.height <= height


@dataclass(frozen=True, slots=True)
class Spot:
    """Something on the screen and what it is called; ``label`` is empty for what is there to be read."""

    box: Box
    label: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The part of a page that stands in the window. Sizes in CSS pixels."""

    width: int
    height: int
    spots: tuple[Spot, ...]


async def see(
    page: Page, wanted: Sequence[Locator], since: Locator | None = None, until: Locator | None = None
) -> Sight:
    """Make the window as high as what is to be seen: all of ``wanted``, from the top of ``since`` (or of the page) to
    the end of ``until`` (or of the last that is wanted).
    """
    size = page.viewport_size
    assert size is not None
    await page.evaluate("() => { scrollTo(0, 0); document.activeElement?.blur(); }")
    top = 0.0 if since is None else max(0.0, (await _box_of(since)).y - _MARGIN)
    ends = [await _box_of(item) for item in (*wanted, *([until] if until is not None else []))]
    height = math.ceil(max(box.y + box.height for box in ends) + _MARGIN - top)
    await page.set_viewport_size({"width": size["width"], "height": height})
    await page.evaluate("(top) => scrollTo(0, top)", top)
    spots = [Spot(await _box_of(item), await label_of(item)) for item in wanted]
    for spot in spots:
        assert spot.box.lies_within(size["width"], height), f"{spot} is not on the picture of {page.url}"
    return Sight(size["width"], height, tuple(spots))


async def label_of(item: Locator) -> str:
    """What a button or a field is called on the screen; empty for what is only there to be read."""
    assert await item.is_visible(), item
    label: str = await item.evaluate(_LABEL)
    return label


async def _box_of(item: Locator) -> Box:
    assert await item.is_visible(), item
    found: FloatRect | None = await item.bounding_box()
    assert found is not None, item
    return Box(found["x"], found["y"], found["width"], found["height"])


async def photographed(page: Page, sight: Sight) -> bytes:
    """A small PNG of what is in the window, in the window's own number of pixels."""
    clip: FloatRect = {"x": 0, "y": 0, "width": sight.width, "height": sight.height}
    taken = await page.screenshot(clip=clip, animations="disabled", caret="hide")
    with Image.open(io.BytesIO(taken)) as image:
        return in_few_colours(image)


def in_few_colours(image: Image.Image) -> bytes:
    """A picture as a small PNG."""
    out = io.BytesIO()
    image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def ink(picture: Image.Image, box: Box, scale: float) -> float:
    """How much there is to be read in a place, from 0 to 1: letters have many edges, frames and areas few."""
    area = picture.crop((
        round(box.x * scale), round(box.y * scale), round((box.x + box.width) * scale),
        round((box.y + box.height) * scale),
    ))
    counts = area.convert("L").filter(ImageFilter.FIND_EDGES).histogram()
    return sum(counts[_EDGE:]) / max(1, sum(counts))
