"""Every page fits in every window: telephone, tablet, computer, with letters as they are and twice as large."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.web.every_page import every_page
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, Site
from tests.web.test_in_chromium import log_in
from tests.web.windows import WINDOWS, as_file_name, faults_of, is_everything_asked_for, keep_picture, told

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dark", [False, True] if is_everything_asked_for() else [False], ids=str)
async def test_every_page_fits_in_every_window(here: Site, chrome: Browser, dark: bool) -> None:
    found: list[str] = []
    windows = WINDOWS if is_everything_asked_for() else [one for one in WINDOWS if one.size == PHONE]
    pages = await every_page(here)
    async with window(chrome, here.url, PHONE, dark=dark) as page:
        await log_in(page, here, CHAIR)
        for address in pages:
            await page.goto(address)
            for one in windows:
                await one.arrange(page)
                found += told(one, await faults_of(page), address)
                theme = "dark" if dark else "light"
                await keep_picture(page, f"{one}_{theme}/{as_file_name(address)}")
    assert found == []
