"""The windows that people have: telephone, tablet, computer, with letters as they are and twice as large; and
what must hold in each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from tests.web.real_browser import COMPUTER, PHONE

TABLET: Final = {"width": 768, "height": 1024}
# What people choose in the settings of their browser: letters of 16 px or of 32 px; ours begin at 125 % of that.
_LETTERS: Final = {100: (), 200: ("--blink-settings=defaultFontSize=32",)}
_EVERYTHING: Final = "KAIRAN_BROWSER"
_PICTURES: Final = "SCREENSHOTS"

_LOOK: Final = """() => {
  const seen = (item) => item.checkVisibility() && item.getBoundingClientRect().width > 0
  const name = (item) => item.tagName + ' ' + (item.textContent || item.name || '').trim().slice(0, 24)
  const hidden = (item) => item.closest('.skip, [hidden], .scroll, rt') || item.matches('.choice input')
  const box = (item) => item.getBoundingClientRect()
  const faults = []
  const wide = document.documentElement.scrollWidth
  if (wide > window.innerWidth) faults.push(`${wide} px wide`)
  for (const item of document.querySelectorAll('main *, header *, footer *')) {
    const isOut = !hidden(item) && seen(item) && box(item).right > window.innerWidth + 1
    if (isOut) faults.push(`out at the side: ${name(item)}`)
  }
  const pressed = [...document.querySelectorAll('a, button, summary, select, input, textarea, label.choice')]
    .filter((item) => seen(item) && !hidden(item) && item.type !== 'hidden')
  // A link in the middle of a sentence is as high as its line (WCAG 2.2, 2.5.8 "inline").
  const inSentence = (item) => item.tagName === 'A' && getComputedStyle(item).display === 'inline'
  for (const item of pressed) {
    if (!inSentence(item) && box(item).height < 55.5) faults.push(`${box(item).height} px high: ${name(item)}`)
    const isCut = item.matches('.button, .tile, summary') && item.scrollWidth > item.clientWidth + 1
    if (isCut) faults.push(`cut off: ${name(item)}`)
  }
  const blocks = pressed.filter((item) => !inSentence(item))
  for (const [at, one] of blocks.entries()) for (const other of blocks.slice(at + 1)) {
    if (one.contains(other) || other.contains(one)) continue
    const [a, b] = [box(one), box(other)]
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
    if (across > 1 && down > 1) faults.push(`on top of each other: ${name(one)} and ${name(other)}`)
  }
  return faults
}"""


@dataclass(frozen=True, slots=True)
class Window:
    """``letters`` in per cent; ``options`` are those of the browser that has them."""

    name: str
    size: dict[str, int]
    letters: int = 100

    def __str__(self) -> str:
        return f"{self.name}_{self.letters}"

    @property
    def options(self) -> tuple[str, ...]:
        return _LETTERS[self.letters]


WINDOWS: Final = tuple(
    Window(name, size, letters)
    for letters in _LETTERS for name, size in (("phone", PHONE), ("tablet", TABLET), ("computer", COMPUTER))
)
# Where the least fits.
NARROWEST: Final = Window("phone", PHONE, 200)
WIDEST: Final = Window("computer", COMPUTER)


def wished_windows() -> tuple[Window, ...]:
    """All of them with ``make browser``, else the narrowest."""
    return WINDOWS if is_everything_asked_for() else (NARROWEST,)


def is_everything_asked_for() -> bool:
    """``make browser``: every window, every language."""
    return bool(os.environ.get(_EVERYTHING))


async def faults_of(page: Page) -> list[str]:
    """What is cut off, out at the side, too small to press, or lies on top of something else."""
    found: list[str] = await page.evaluate(_LOOK)
    return found


async def keep_picture(page: Page, name: str) -> None:
    """A picture of the whole page in the folder ``SCREENSHOTS``, where one is named."""
    if folder := os.environ.get(_PICTURES):
        place = Path(folder) / f"{name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=place, full_page=True)


def as_file_name(address: str) -> str:
    """An address as a name without ids: ``/circulars/AbC`` and ``/circulars/XyZ`` are the same page."""
    parts = [part for part in address.partition("?")[0].split("/") if part]
    return "_".join(part if part.isascii() and part.islower() else "x" for part in parts) or "home"


async def look(page: Page, window: Window, name: str) -> None:
    """Keep a picture; nothing may be wrong with how it stands there."""
    await keep_picture(page, f"{window}/{name}")
    assert await faults_of(page) == [], f"{window} {name}"
