"""A guide as it is written: five sheets, on each some pictures of real pages, and numbered steps beside them.

    sheet = guide.sheet("回覧板を 読む", "新しい お知らせは ここに 出ます。")
    await sheet.look(page, "ホームの 画面", Step("「回覧板」を おします。", at=page.get_by_role("link", name="回覧板")))

What stands in 「」 is on the screen in these very words: a step that names a button which is gone is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Locator, Page

from server.web.languages.furigana import without_readings
from tests.web.guides.camera import Box, Sight, Spot, label_of, photographed, see

PAGES: Final = 5
_NOWHERE: Final = Box(0, 0, 0, 0)
_QUOTED: Final = re.compile(r"「([^」]+)」")


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and where on the picture; without ``at`` there is nothing to point at."""

    text: str
    at: Locator | None = None

    @property
    def quotes(self) -> list[str]:
        """The words that are said to be on the screen."""
        return [without_readings(words) for words in _QUOTED.findall(self.text)]


@dataclass(frozen=True, slots=True)
class Mark:
    """A number on a picture. ``label`` is what the button or field is called there, empty for a place to look at."""

    number: int
    box: Box
    label: str


@dataclass(frozen=True, slots=True)
class Part:
    """A picture (PNG, empty where none was wanted; sizes in CSS pixels) and its steps by number."""

    alt: str
    width: int
    height: int
    marks: tuple[Mark, ...]
    steps: tuple[tuple[int, str], ...]
    picture: bytes = b""


@dataclass(slots=True)
class Sheet:
    """One page: a task. ``note`` stands in a frame at its end."""

    title: str
    lead: str
    note: str = ""
    takes_pictures: bool = True
    parts: list[Part] = field(default_factory=list)

    async def look(
        self, page: Page, alt: str, *steps: Step, since: Locator | None = None, until: Locator | None = None
    ) -> None:
        """A picture of ``page`` as it is now, from the top of ``since`` (or of the page) to the end of ``until``, or of
        the last that is pointed at.
        """
        await _require_words(page, steps)
        wanted = [step.at for step in steps if step.at is not None]
        texts = [(step.text, step.at is not None) for step in steps]
        if self.takes_pictures:
            sight = await see(page, wanted, since, until)
            self.show(alt, sight, await photographed(page, sight), *texts)
        else:
            self.show(alt, Sight(0, 0, tuple([Spot(_NOWHERE, await label_of(item)) for item in wanted])), b"", *texts)

    def show(self, alt: str, sight: Sight, picture: bytes, *steps: tuple[str, bool]) -> None:
        """A picture that is there already; every step with whether it points at the next spot of ``sight``."""
        first = 1 + sum(len(part.steps) for part in self.parts)
        numbered = list(enumerate(steps, first))
        pointing = [number for number, (_, points) in numbered if points]
        marks = tuple(Mark(number, spot.box, spot.label) for number, spot in zip(pointing, sight.spots, strict=True))
        texts = tuple((number, text) for number, (text, _) in numbered)
        self.parts.append(Part(alt, sight.width, sight.height, marks, texts, picture))

    def words(self) -> Iterator[str]:
        """All that is on it; the names of buttons part by part after the steps."""
        yield from (self.title, self.lead)
        for part in self.parts:
            yield part.alt
            yield from (f"{number}{text}" for number, text in part.steps)
            yield from (mark.label for mark in part.marks)
        if self.note:
            yield self.note


@dataclass(slots=True)
class Guide:
    """The guide of one role. ``name`` is that of its files; ``is_easy``: larger letters, and readings above words."""

    name: str
    whom: str
    is_easy: bool = False
    takes_pictures: bool = True
    sheets: list[Sheet] = field(default_factory=list)

    def sheet(self, title: str, lead: str, note: str = "") -> Sheet:
        """Begin the next page."""
        self.sheets.append(Sheet(title, lead, note, self.takes_pictures))
        return self.sheets[-1]

    def words(self) -> list[str]:
        """Everything that is said, and what the buttons are called that are pointed at: what must not get old."""
        return [without_readings(words) for sheet in self.sheets for words in sheet.words()]


async def _require_words(page: Page, steps: Iterable[Step]) -> None:
    shown = _plain(await page.inner_text("body"))
    missing = [words for step in steps for words in step.quotes if _plain(words) not in shown]
    assert not missing, f"{missing} is not on {page.url}"


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text)
