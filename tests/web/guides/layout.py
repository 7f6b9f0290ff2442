"""A guide as a page of HTML, which a browser prints: where each number stands on its picture, and the words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from server.web.languages.furigana import easy, ruby
from tests.web.guides.book import Guide, Mark, Part
from tests.web.guides.camera import Box, ink

_RADIUS: Final = 17
_AROUND: Final = 4
# By parts of a place's width and height; inside of it a number has to be clearly better there.
_ON_FRAME: Final = (
    (0, 0.5), (0, 0), (1, 0.5), (1, 0), (0, 1), (1, 1), (0.25, 0), (0.5, 0), (0.75, 0), (0.5, 1),
)
_INSIDE: Final = (0.86, 0.5)
_PREFERRED: Final = 0.06
_PHRASE: Final = re.compile(r"「?[^「、。]+[、。」]*")


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """The frame around a place, and the middle of its number, in pixels of the page."""

    number: int
    label: str
    x: float
    y: float
    width: float
    height: float
    cx: float
    cy: float


def page_of(guide: Guide) -> str:
    """The whole guide as HTML; pictures are beside it in a folder of its name."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(words=_with_readings if guide.is_easy else Markup.escape, marks=drawn_marks)
    return environment.get_template("guide.html").render(guide=guide) + "\n"


def drawn_marks(part: Part) -> list[DrawnMark]:
    """Every number stands on the frame of its place, where it hides least of the picture and of other places."""
    with Image.open(io.BytesIO(part.picture)) as image:
        picture = image.convert("RGB")
    taken: list[tuple[float, float]] = []
    return [_drawn(mark, part, picture, taken) for mark in part.marks]


def _drawn(mark: Mark, part: Part, picture: Image.Image, taken: list[tuple[float, float]]) -> DrawnMark:
    scale = picture.width / part.width
    others = [other.box for other in part.marks if other is not mark]

    def cost(at: tuple[float, float]) -> float:
        covers = sum(_overlaps(_around(*at), box) for box in others)
        crowds = any(abs(at[0] - x) + abs(at[1] - y) < 2.5 * _RADIUS for x, y in taken)
        return round(ink(picture, _around(*at), scale), 2) + covers + 5 * crowds

    on_frame = min(_places(mark.box, part, _ON_FRAME), key=cost)
    inside = next(_places(mark.box, part, [_INSIDE]))
    cx, cy = inside if cost(inside) + _PREFERRED < cost(on_frame) else on_frame
    taken.append((cx, cy))
    left, top = max(2, mark.box.x - _AROUND), max(2, mark.box.y - _AROUND)
    right = min(part.width - 2, mark.box.x + mark.box.width + _AROUND)
    bottom = min(part.height - 2, mark.box.y + mark.box.height + _AROUND)
    frame = (round(value, 1) for value in (left, top, right - left, bottom - top, cx, cy))
    return DrawnMark(mark.number, mark.label, *frame)


def _overlaps(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width and other.x < one.x + one.width
        and one.y < other.y + other.height and other.y < one.y + one.height
    )


def _places(box: Box, part: Part, along: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Where a number may stand, by parts of the width and the height of its place; never over the picture's edge."""
    edge = _RADIUS + 2
    for along_x, along_y in along:
        x, y = box.x + along_x * box.width, box.y + along_y * box.height
        yield min(max(x, edge), part.width - edge), min(max(y, edge), part.height - edge)


def _around(cx: float, cy: float) -> Box:
    return Box(cx - _RADIUS, cy - _RADIUS, 2 * _RADIUS, 2 * _RADIUS)


def _with_readings(text: str) -> Markup:
    """Readings above words; a line ends only between phrases, which a reading would otherwise tear apart."""
    return Markup(" ").join(_phrases(easy(text)))


def _phrases(text: str) -> Iterator[Markup]:
    for run in text.split(" "):
        yield Markup("").join(
            Markup('<span class="phrase">{}</span>').format(ruby(phrase)) for phrase in _PHRASE.findall(run)
        )
