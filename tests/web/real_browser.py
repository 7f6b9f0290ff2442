"""Debian's Chromium, driven by Playwright: a phone of 360 px and a computer of 1280 px."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.real import require_real

PHONE: Final = {"width": 360, "height": 740}
COMPUTER: Final = {"width": 1280, "height": 900}
_QUIET: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
# A machine that is busy with other things is no fault of the page.
_PATIENCE_MS: Final = 60_000
expect.set_options(timeout=_PATIENCE_MS)


@asynccontextmanager
async def chromium(*options: str) -> AsyncIterator[Browser]:
    """The browser itself; ``options`` are further ones of its command line."""
    path = require_real("chromium")
    require_real("japanese font")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(path), args=[*_QUIET, *options])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, url: str, size: dict[str, int], *, script: bool = True, dark: bool = False, sharpness: float = 1
) -> AsyncIterator[Page]:
    """A window with cookies of its own. ``sharpness``: pixels of pictures by pixel of the page."""
    context: BrowserContext = await browser.new_context(
        base_url=url, viewport=size, java_script_enabled=script, color_scheme="dark" if dark else "light",  # type: ignore[arg-type]
        locale="ja-JP", timezone_id="Asia/Tokyo", device_scale_factor=sharpness,
    )
    context.set_default_timeout(_PATIENCE_MS)
    try:
        yield await context.new_page()
    finally:
        await context.close()
