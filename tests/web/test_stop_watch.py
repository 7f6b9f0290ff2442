"""A new resident with a slip of paper: how many taps it takes until the officers know that they are safe."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from server.association.members.model import EVERYONE
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, Site

pytestmark = pytest.mark.slow
_MOST_TAPS = 12


class Finger:
    """Counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    async def tap(self, what: Locator) -> None:
        await what.click()
        self.taps += 1


@pytest.mark.parametrize("by_code", [False, True], ids=["qr", "code"])
async def test_from_the_slip_to_an_answer_that_has_arrived(here: Site, chrome: Browser, by_code: bool) -> None:
    """By the camera three taps; with the eight letters each of them is one."""
    person = await here.add("渡辺 千代", "1班", account=False)
    card = (await here.invitations.cards_for(here.chief, [person]))[0]
    checks = here.node.association.safety_checks
    check = await checks.announce(here.user(CHAIR), "地震", EVERYONE, drill=False)
    async with window(chrome, here.url, PHONE) as page:
        finger = Finger(page)
        if by_code:
            await page.goto("/code")
            await page.get_by_label("招待番号").press_sequentially(card.code.replace("-", ""))
            finger.taps += 8
            await finger.tap(page.get_by_role("button", name="つぎへ"))
        else:
            await page.goto(urlsplit(card.link).path)
            finger.taps += 1  # on what the camera shows
        await finger.tap(page.get_by_role("button", name="この画面で 使う"))
        await expect(page.get_by_role("heading", name="渡辺 千代")).to_be_visible()
        await checks.ask(check.id)
        await page.reload()
        await finger.tap(page.get_by_role("button", name="無事です"))
        await expect(page.get_by_role("status").get_by_text("届きました")).to_be_visible()
        assert finger.taps <= _MOST_TAPS
