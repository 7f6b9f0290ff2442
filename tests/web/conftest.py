"""A site, people with browsers, and a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from playwright.async_api import Browser as RealBrowser

from tests.web.browser import Browser
from tests.web.real_browser import chromium
from tests.web.site import CHAIR, PASSWORD, Site, site

LogIn = Callable[[str], Awaitable[Browser]]


@pytest.fixture(name="here")
async def open_site(tmp_path: Path) -> AsyncIterator[Site]:
    """A node with a chair and four residents in two blocks."""
    async with site(tmp_path) as found:
        yield found


@pytest.fixture(name="chrome")
async def open_chromium() -> AsyncIterator[RealBrowser]:
    """Debian's Chromium, for a whole test."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def stranger(here: Site) -> AsyncIterator[Browser]:
    """A browser in which nobody is logged in."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        yield Browser(here.url, http)


@pytest.fixture
async def log_in(here: Site) -> AsyncIterator[LogIn]:
    """Opens a browser of its own for somebody and logs in."""
    async with AsyncExitStack() as stack:
        async def opened(name: str) -> Browser:
            http = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
            browser = Browser(here.url, http)
            page = await browser.log_in(await here.set_password(name), PASSWORD)
            assert page.url == "/", page.text
            return browser

        yield opened


@pytest.fixture
async def chair(log_in: LogIn) -> Browser:
    """The chair's browser."""
    return await log_in(CHAIR)
