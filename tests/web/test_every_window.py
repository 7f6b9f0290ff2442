"""Every page fits in every window: telephone, tablet, computer, with letters as they are and twice as large."""

from __future__ import annotations

import pytest

from tests.web.every_page import every_page
from tests.web.real_browser import chromium, window
from tests.web.site import CHAIR, Site
from tests.web.test_in_chromium import log_in
from tests.web.windows import WINDOWS, Window, as_file_name, faults_of, is_everything_asked_for, keep_picture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_everything_asked_for(), reason="make browser: test_axe.py looks where the least fits"),
]


@pytest.mark.parametrize("dark", [False, True], ids=lambda dark: "dark" if dark else "light")
@pytest.mark.parametrize("one", WINDOWS, ids=str)
async def test_every_page_fits(here: Site, one: Window, dark: bool) -> None:
    found: list[str] = []
    pages = await every_page(here)
    async with chromium(*one.options) as browser, window(browser, here.url, one.size, dark=dark) as page:
        await log_in(page, here, CHAIR)
        for address in pages:
            await page.goto(address)
            found += [f"{address}: {fault}" for fault in await faults_of(page)]
            await keep_picture(page, f"{one}_{'dark' if dark else 'light'}/{as_file_name(address)}")
    assert found == [], "\n".join(found)
