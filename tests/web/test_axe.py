"""axe-core finds nothing to object to on any page: light and dark, in Japanese and in other languages; and every page
fits a telephone with letters twice as large.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from server.web.languages.tongues import TONGUES
from tests.real import require_real
from tests.web.every_page import every_page
from tests.web.real_browser import chromium, window
from tests.web.site import CHAIR, PASSWORD, Site
from tests.web.windows import NARROWEST, WIDEST, faults_of, is_everything_asked_for

pytestmark = pytest.mark.slow

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Readings above words are what changes a page most; ``make browser`` looks at all languages.
_LOOKS = [(language, dark) for language in TONGUES for dark in (False, True)] if is_everything_asked_for() else [
    ("ja", False), ("ja", True), ("ja-easy", True),
]


@pytest.mark.parametrize(("language", "dark"), _LOOKS)
async def test_axe_objects_to_nothing(here: Site, language: str, dark: bool) -> None:
    axe = require_real("axe-core")
    pages, one = await every_page(here), NARROWEST if dark else WIDEST
    async with chromium(*one.options) as browser, window(browser, here.url, one.size, dark=dark) as page:
        await page.add_init_script(path=axe)
        await page.context.add_cookies([{"name": "kairan_language", "value": language, "url": here.url}])
        found = await _objections(page, ["/", "/login", "/code"])
        user = await here.set_password(CHAIR)
        await page.goto("/login")
        await page.fill("#f-user", user)
        await page.fill("#f-password", PASSWORD)
        await page.click("form[action='/login'] button")
        found += await _objections(page, pages)
    assert found == [], "\n".join(found)


async def _objections(page: Page, paths: list[str]) -> list[str]:
    found: list[str] = []
    for path in paths:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status < 500, path  # a page that refuses is a page, too
        told: list[dict[str, Any]] = await page.evaluate(
            "async (tags) => (await axe.run({runOnly: tags})).violations", _RULES
        )
        for item in told:
            found += [f"{path}: {item['id']}: {node['html'][:200]}" for node in item["nodes"]]
        found += [f"{path}: {fault}" for fault in await faults_of(page)]
    return found
