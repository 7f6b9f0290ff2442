"""The printed guides: what they say is still so, and what is kept can be printed and read.

Where the pages have changed since, ``make guides`` writes them anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pypdf
import pytest
from PIL import Image
from playwright.async_api import Page

from server.web.pages.guides import FOLDER, GUIDES
from tests.architecture.source import ROOT
from tests.web.browser import Browser
from tests.web.guides.book import PAGES
from tests.web.guides.camera import Box, ink
from tests.web.guides.kept import KeptGuide
from tests.web.guides.making import keep, opened, print_to, studio
from tests.web.guides.stage import PHONE

_MOST_BYTES: Final = 4 * 2**20
_SMALLEST_PT: Final = 14
# Three nodes and their links are much for one guide: the city's is driven where all are wanted (KAIRAN_GUIDES=all).
_DRIVEN: Final = tuple(GUIDES) if os.environ.get("KAIRAN_GUIDES") == "all" else ("resident", "helper", "officer")
_KANJI: Final = re.compile(r"[\u4e00-\u9fff々]")
# What is too small on paper (readings aside), and what is cut off at the end or at the side of a sheet.
_ON_PAPER: Final = """(smallest) => [...document.querySelectorAll('.sheet')].flatMap((sheet, number) => {
  const edge = sheet.getBoundingClientRect(), found = [];
  if (sheet.scrollHeight > sheet.clientHeight + 1) found.push('too long');
  for (const item of sheet.querySelectorAll('h1, h2, p, li, li b, .phrase, figure')) {
    const box = item.getBoundingClientRect(), points = parseFloat(getComputedStyle(item).fontSize) * 0.75;
    if (points < smallest - 0.01) found.push(`${points} pt: ${item.textContent}`);
    if (box.right > edge.right - 36 || box.left < edge.left || box.bottom > edge.bottom - 18)
      found.push(`cut off: ${item.textContent || item.tagName}`);
  }
  return found.map((what) => `sheet ${number + 1}: ${what}`);
})"""

ALL = pytest.mark.parametrize("name", GUIDES)


@pytest.mark.slow
async def test_guides_say_what_the_pages_show_now(tmp_path: Path) -> None:
    """Their whole ways are gone, with every button that they name; the resident's is made anew, pictures and all."""
    async with studio(tmp_path / "node") as place:
        async for guide in place.write(_DRIVEN, takes_pictures={"resident"}):
            assert len(guide.sheets) == PAGES
            assert KeptGuide(guide.name).words() == guide.words(), f"{guide.name} has got old. Run: make guides"
            if guide.takes_pictures:
                file = keep(guide, _beside_the_style(tmp_path / "made/guides"))
                await print_to(place.browser, file)
                assert len(pypdf.PdfReader(file.with_suffix(".pdf")).pages) == PAGES
                require_pictures_to_show_what_is_marked(KeptGuide(guide.name, file.parent))
        async with opened(place.browser) as page:
            for name in GUIDES:
                await require_paper_to_be_readable(page, name)
        async with place.stage.window(PHONE) as page:
            await require_a_telephone_to_show(page)


async def require_paper_to_be_readable(page: Page, name: str) -> None:
    """Nothing is small or cut off, and all pictures are there."""
    await page.goto((FOLDER / f"{name}.ja.html").as_uri())
    assert await page.evaluate(_ON_PAPER, _SMALLEST_PT) == [], name
    assert await page.evaluate("[...document.images].filter((item) => !item.naturalWidth).length") == 0, name


async def require_a_telephone_to_show(page: Page) -> None:
    """From the node it is one column with its style and its pictures, and keeps to the policy of our pages."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto("/guides/resident.ja.html")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    band = await page.evaluate("getComputedStyle(document.querySelector('.band')).backgroundColor")
    assert band == "rgb(10, 92, 54)"
    assert await page.evaluate("document.images[0].naturalWidth") > 0
    assert [text for text in said if "Content Security Policy" in text or "Failed to load" in text] == []


def _beside_the_style(folder: Path) -> Path:
    """A folder from which a guide's page finds its style."""
    folder.mkdir(parents=True)
    for name in ("guide.css", "../static/style.css"):
        copy = folder / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((FOLDER / name).read_bytes())
    return folder


@ALL
def test_a_kept_guide_has_five_sheets_with_pictures_and_words_for_those_who_do_not_see_them(name: str) -> None:
    kept = KeptGuide(name)
    assert kept.sheets() == PAGES
    assert len(pypdf.PdfReader(FOLDER / f"{name}.ja.pdf").pages) == PAGES
    assert all(picture.alt for picture in kept.pictures())
    assert {picture.file for picture in kept.pictures()} == set((FOLDER / name).iterdir())
    require_pictures_to_show_what_is_marked(kept)


def require_pictures_to_show_what_is_marked(guide: KeptGuide) -> None:
    """On every picture there is something, and in every place that is pointed at."""
    for picture in guide.pictures():
        with Image.open(picture.file) as image:
            shown = image.convert("RGB")
        scale = shown.width / picture.width
        assert abs(shown.height - picture.height * scale) <= 2, picture.file
        assert ink(shown, Box(0, 0, picture.width, picture.height), scale) > 0.005, picture.file
        for place in picture.places:
            assert place.lies_within(picture.width, picture.height), picture.file
            assert ink(shown, place, scale) > 0.005, (picture.file, place)


@pytest.mark.parametrize("name", ["resident", "helper"])
def test_whoever_reads_little_kanji_finds_readings_above_them(name: str) -> None:
    text = (FOLDER / f"{name}.ja.html").read_text("utf-8")
    for found in re.findall(r'<(?:h2|p class="lead"|p class="note"|li [^>]*)>(.*?)</(?:h2|p|li)>', text):
        bare = re.sub(r"<ruby>.*?</ruby>", "", found)
        assert not _KANJI.search(bare), f"{bare}: give the word a reading in the script, or in readings.txt"


def test_what_guides_quote_is_written_in_the_pages() -> None:
    """Cheaper than driving, and for the city's, too: what stands in 「」 is in a template or in the code."""
    written = "".join(
        file.read_text("utf-8") for part in ("server", "federation") for file in (ROOT / part).rglob("*")
        if file.suffix in (".html", ".py") and file.parent != FOLDER
    )
    plain = re.sub(r"\s", "", written)
    texts = [text for name in GUIDES for text in KeptGuide(name).words()]
    quoted = {words for text in texts for words in re.findall(r"「([^」]+)」", text)}
    assert [words for words in sorted(quoted) if re.sub(r"\s", "", words) not in plain] == [], "run: make guides"


def test_all_guides_together_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < _MOST_BYTES


# ---- on the node ---------------------------------------------------------------------------------------------------


async def test_everybody_finds_the_guide_for_residents_and_hears_that_it_is_japanese(stranger: Browser) -> None:
    page = await stranger.get("/guides")
    assert page.status == 200
    assert "/guides/resident.ja.html" in page.links
    assert "/guides/officer.ja.html" not in page.links
    for language, words in (("en", "in Japanese only"), ("ja-easy", "<rt>てび</rt>")):
        await stranger.get("/")
        await stranger.submit("/language", {"language": language})
        assert words in (await stranger.get("/guides")).html
    page = await stranger.get("/guides/resident.ja.html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "了解" in page.text


async def test_officers_find_theirs_from_the_desk_and_print_it_and_nothing_else_is_given_out(chair: Browser) -> None:
    assert "/guides" in (await chair.get("/desk")).links
    assert "/guides/officer.ja.pdf" in (await chair.get("/guides")).links
    async with chair.http.get(f"{chair.url}/guides/officer.ja.pdf") as answer:
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert (await answer.read()).startswith(b"%PDF-")
    for path in (
        "/guides/unknown.ja.html", "/guides/..%2Fapp.py", "/guides/..%2F..%2F..%2Fpyproject.toml",
        "/guides/resident/..%2Fguide.css", "/guides/resident/9-9.png", "/guides/%00",
    ):
        assert (await chair.get(path)).status == 404, path
