"""What a guide says that is kept, read from its page: words, and places on pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree, html

from server.web.pages.guides import FOLDER
from tests.web.guides.camera import Box


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture of a page: its file, the words for those who do not see it, its size and the places pointed at."""

    file: Path
    alt: str
    width: int
    height: int
    places: tuple[Box, ...]


class KeptGuide:
    """One page of HTML."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        self.file = folder / f"{name}.ja.html"
        self._page: Any = html.document_fromstring(self.file.read_text("utf-8"))
        etree.strip_elements(self._page, "rt", with_tail=False)

    def words(self) -> list[str]:
        """As ``Guide.words`` has them."""
        return [words for sheet in self._page.find_class("sheet") for words in _words(sheet)]

    def sheets(self) -> int:
        """How many there are."""
        return len(self._page.find_class("sheet"))

    def pictures(self) -> list[KeptPicture]:
        """In their order."""
        return [_picture(figure, self.file.parent) for figure in self._page.iter("figure")]


def _words(sheet: Any) -> Iterator[str]:
    yield from (_text(sheet.find(".//h2")), _text(sheet.find_class("lead")[0]))
    for part in sheet.find_class("part"):
        yield part.find(".//img").get("alt")
        yield from (_text(step) for step in part.iter("li"))
        yield from (place.get("data-label") for place in part.iter("rect"))
    yield from (_text(note) for note in sheet.find_class("note"))


def _text(item: Any) -> str:
    return str(item.text_content()).strip()


def _picture(figure: Any, folder: Path) -> KeptPicture:
    image = figure.find("img")
    places = tuple(
        Box(*(float(place.get(name)) for name in ("x", "y", "width", "height"))) for place in figure.iter("rect")
    )
    return KeptPicture(
        folder / image.get("src"), image.get("alt"), int(image.get("width")), int(image.get("height")), places,
    )
