"""桜町町内会 on an ordinary Monday: a real node with made-up people, and windows in which they sit.

The date is always the same one, so that pictures change only where the pages do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page

from server.accounts.web_sessions import WebSessions
from server.association.circulars.model import Category, Letter
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, Role
from server.demo import texts
from server.demo.almanac import Almanac
from server.foundation.clock import Clock
from tests.web.real_browser import chromium, window
from tests.web.site import CHAIR, Site, site

PHONE: Final = {"width": 360, "height": 640}
TABLET: Final = {"width": 600, "height": 640}
COMPUTER: Final = {"width": 860, "height": 640}
PUBLIC_URL: Final = "http://sakura.example"
NEWCOMER: Final = "渡辺 千代"
OTHER_NEWCOMER: Final = "松本 ヨネ"
HELPER: Final = "山口 恵"
NEIGHBOUR: Final = "佐藤 花子"
_DAY: Final = date(2026, 11, 23)
_NAMES: Final = (
    (NEIGHBOUR, "1班"), ("鈴木 一郎", "1班"), ("高橋 美咲", "2班"), ("田中 実", "2班"), ("伊藤 健", "3班"),
    ("中村 幸子", "3班"),
)
# Who has a telephone with keys, and gets paper.
_ON_PAPER: Final = (("小林 正", "1班"), ("加藤 ハル", "2班"))
# Pixels of pictures by pixel of the page: 200 dots an inch on paper; and few where nobody will look.
SHARP: Final = 1.5
BLURRED: Final = 0.25
CLEANING: Final = texts.Text(
    "集会所の そうじ", "28日（土）の 9時から、集会所の そうじを します。\nほうきを 持って 来てください。",
    Category.NOTICE, 0,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A node, and a browser that finds it at ``address``."""

    here: Site
    browser: Browser
    address: str
    almanac: Almanac
    sharpness: float = BLURRED

    @asynccontextmanager
    async def window(self, size: dict[str, int], name: str = "") -> AsyncIterator[Page]:
        """A telephone or a computer; somebody is logged in where a name is given."""
        async with window(self.browser, self.address, size, sharpness=self.sharpness) as page:
            if name:
                core = self.here.node.core
                sessions = WebSessions(core.database, core.clock, core.accounts.users)
                token = await sessions.begin(self.here.user(name))
                await page.context.add_cookies([{"name": "kairan", "value": token, "url": self.address}])
            yield page


async def resize(page: Page, size: dict[str, int]) -> None:
    """Go on at another width."""
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})


def a_monday() -> Almanac:
    """23 November 2026, nine o'clock in Japan."""
    almanac = Almanac()
    almanac.today = _DAY
    almanac.turn_to(0, 9)
    return almanac


@asynccontextmanager
async def association(folder: Path) -> AsyncIterator[Stage]:
    """The node of 桜町町内会 with its people, some circulars, and what is ahead."""
    almanac = a_monday()
    clock: Clock = almanac
    async with site(folder, _NAMES, public_url=PUBLIC_URL, clock=clock) as here, _browser_for(here) as browser:
        stage = Stage(here, browser, PUBLIC_URL, almanac)
        await here.add(HELPER, "3班", [Role.HELPER])
        for name, block in (*_ON_PAPER, (NEWCOMER, "1班"), (OTHER_NEWCOMER, "3班")):
            await here.add(name, block, account=False)
        await _lately(stage)
        yield stage


@asynccontextmanager
async def _browser_for(here: Site) -> AsyncIterator[Browser]:
    """A Chromium for which the node stands at its public address."""
    there = f"--host-resolver-rules=MAP {urlsplit(PUBLIC_URL).netloc} {urlsplit(here.url).netloc}"
    async with chromium(there) as browser:
        yield browser


async def _lately(stage: Stage) -> None:
    """What has gone round and what is in the calendar."""
    life, chair = stage.here.node.association, stage.here.user(CHAIR)
    for text in (texts.TREES, texts.SCAM, CLEANING):
        stage.almanac.turn_to(text.days, 8)
        letter = Letter(title=text.title, text=text.text, audience=EVERYONE, category=text.category)
        await life.circulars.post(chair, letter)
    stage.almanac.turn_to(-1, 20)
    for gathering in texts.GATHERINGS[:1]:
        start = stage.almanac.at(1 + gathering.days, gathering.hour)
        end = start + timedelta(hours=gathering.hours)
        plan = Plan(gathering.title, start, end, gathering.place, gathering.text, asks=True)
        await life.gatherings.announce(chair, plan, EVERYONE)
    stage.almanac.turn_to(0, 9)
