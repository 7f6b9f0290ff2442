"""Everything that people do, in a real browser: with ``make browser`` in every window, else where the least fits.

``SCREENSHOTS=folder`` keeps a picture of each step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page

from tests.web.flows import EVERYDAY, Stage
from tests.web.flows_of_keeping import NOW_AND_THEN
from tests.web.real_browser import chromium, window
from tests.web.site import CHAIR, Site
from tests.web.test_common_life_in_chromium import (
    ask_for_it,
    bring_photos,
    decide,
    found_group,
    give_away,
    join_group,
    object_to_photo,
    promise,
)
from tests.web.test_in_chromium import come_in, log_in
from tests.web.windows import Window, is_everything_asked_for, look, wished_windows

pytestmark = pytest.mark.slow
WINDOWS = pytest.mark.parametrize("one", wished_windows(), ids=str)
Flow = Callable[[Stage], Awaitable[None]]


@asynccontextmanager
async def stage(here: Site, one: Window) -> AsyncIterator[Stage]:
    """Three people with windows of this kind."""
    async with (
        chromium(*one.options) as browser, window(browser, here.url, one.size) as desk,
        window(browser, here.url, one.size) as home, window(browser, here.url, one.size) as next_door,
    ):
        for page, name in ((desk, CHAIR), (home, "佐藤 花子"), (next_door, "鈴木 一郎")):
            await log_in(page, here, name)

        async def seen(page: Page, name: str) -> None:
            await look(page, one, name)

        yield Stage(here, desk, home, next_door, seen)


async def share(on: Stage) -> None:
    """Give away, groups, photos: each from one's own telephone."""
    address = await give_away(on.home, "")
    await ask_for_it(on.next_door, address, "")
    await promise(on.home, address, "")
    await found_group(on.desk, "")
    await join_group(on.next_door, on.home, "")
    album = await bring_photos(on.home, "")
    await object_to_photo(on.next_door, album, "")
    await decide(on.desk, "")


@WINDOWS
async def test_what_is_done_every_day(here: Site, one: Window) -> None:
    await _all(here, one, *EVERYDAY)


@WINDOWS
async def test_what_is_done_now_and_then(here: Site, one: Window) -> None:
    # Sharing is tried in two windows by test_common_life_in_chromium.py already.
    await _all(here, one, *NOW_AND_THEN, *([share] if is_everything_asked_for() else []))


@WINDOWS
async def test_somebody_comes_in_by_a_card(here: Site, one: Window) -> None:
    async with chromium(*one.options) as browser, window(browser, here.url, one.size) as page:
        await page.goto("/")
        await look(page, one, "welcome")
        await page.goto("/code")
        await look(page, one, "code")
        await come_in(page, here, "渡辺 千代")
        await look(page, one, "home_of_somebody_new")


async def _all(here: Site, one: Window, *flows: Flow) -> None:
    """Every flow is tried, also after one that did not go through."""
    failed: list[str] = []
    async with stage(here, one) as on:
        for flow in flows:
            try:
                await flow(on)
            except AssertionError as fault:
                failed.append(f"{flow}: {fault}")
    assert failed == []
