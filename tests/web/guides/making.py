"""All guides, from their scripts to the files that the node shows: driven, laid out, printed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page

from server.web.pages.guides import FOLDER, GUIDES
from tests.web.guides import city, helper, officer, resident
from tests.web.guides.book import Guide
from tests.web.guides.layout import page_of
from tests.web.guides.stage import BLURRED, SHARP, Stage, association
from tests.web.real_browser import COMPUTER

# What residents are handed, and those who stand beside them.
_EASY: Final = ("resident", "helper")
# In this order: whoever comes later finds what those before have done.
_AT_ONE_ASSOCIATION: Final[Mapping[str, Callable[[Guide, Stage], Awaitable[None]]]] = {
    "helper": helper.write, "resident": resident.write, "officer": officer.write,
}


@dataclass(frozen=True, slots=True)
class Studio:
    """Where guides are written: an association with its people, and a browser."""

    stage: Stage
    folder: Path

    @property
    def browser(self) -> Browser:
        """For looking at what was made."""
        return self.stage.browser

    async def write(self, names: Container[str], takes_pictures: Container[str]) -> AsyncIterator[Guide]:
        """The guides called ``names`` from a run of their scripts, some of them with pictures."""
        for name, script in _AT_ONE_ASSOCIATION.items():
            if name in names:
                guide = Guide(name, GUIDES[name], name in _EASY, name in takes_pictures)
                await script(guide, replace(self.stage, sharpness=_sharpness(guide)))
                yield guide
        if "city" in names:
            guide = Guide("city", GUIDES["city"], takes_pictures="city" in takes_pictures)
            async with city.region(self.folder, self.browser, _sharpness(guide)) as place:
                await city.write(guide, place)
            yield guide


def _sharpness(guide: Guide) -> float:
    return SHARP if guide.takes_pictures else BLURRED


@asynccontextmanager
async def studio(folder: Path) -> AsyncIterator[Studio]:
    """One in an empty folder."""
    cities = folder / "cities"
    cities.mkdir(parents=True)
    async with association(folder) as stage:
        yield Studio(stage, cities)


def keep(guide: Guide, folder: Path = FOLDER) -> Path:
    """Write the page and its pictures; answers the page's file."""
    pictures = folder / guide.name
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    for number, sheet in enumerate(guide.sheets, 1):
        for place, part in enumerate(sheet.parts, 1):
            (pictures / f"{number}-{place}.png").write_bytes(part.picture)
    file = folder / f"{guide.name}.ja.html"
    file.write_text(page_of(guide), "utf-8")
    return file


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[Page]:
    """A window that shows pages as they stand on paper."""
    page = await browser.new_page(viewport=COMPUTER)  # type: ignore[arg-type]
    try:
        await page.emulate_media(media="print", color_scheme="light")
        yield page
    finally:
        await page.close()


async def print_to(browser: Browser, file: Path) -> None:
    """Beside the page, the same as a PDF of A4 sheets."""
    async with opened(browser) as page:
        await page.goto(file.as_uri())
        await page.pdf(path=file.with_suffix(".pdf"), prefer_css_page_size=True, print_background=True, tagged=True)
