"""How many taps it takes from a slip of paper to the news that somebody is safe; and until a new telephone is in."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from server.association.members.model import EVERYONE
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, PASSWORD, Site

pytestmark = pytest.mark.slow
_MOST_TAPS = 12
# With a quarter of a minute for each of them, typing and pointing the camera are steps, too.
_MOST_STEPS_IN_THREE_MINUTES = 12


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


async def test_a_new_telephone_at_the_table_is_in_within_three_minutes(here: Site, chrome: Browser) -> None:
    """The officer finds the person and shows the card; the resident points the camera at it and presses one button."""
    async with window(chrome, here.url, PHONE) as desk, window(chrome, here.url, PHONE) as phone:
        await log_in(desk, await here.set_password(CHAIR))
        officer, resident = Finger(desk), Finger(phone)
        await officer.tap(desk.get_by_role("main").get_by_role("link", name="役員のつくえ"))
        await officer.tap(desk.get_by_role("link", name="新しい電話"))
        await officer.tap(desk.get_by_label("名前で さがす"))
        await desk.get_by_label("名前で さがす").fill("佐藤")
        officer.taps += 1
        await officer.tap(desk.get_by_role("button", name="さがす"))
        await officer.tap(desk.get_by_role("link", name="佐藤 花子"))
        await officer.tap(desk.get_by_role("button", name="カードを 出す"))
        code = await desk.locator(".code").inner_text()
        card = await here.invitations.look_at(code, "table")
        assert card[1] is not None
        assert card[1].name == "佐藤 花子"
        # The camera reads the address in the square; here its letters are typed, as where a camera does not work.
        await phone.goto("/code")
        await phone.get_by_label("招待番号").fill(code)
        await phone.get_by_role("button", name="つぎへ").click()
        resident.taps += 2  # pointing the camera, and pressing on what it shows
        await resident.tap(phone.get_by_role("button", name="この画面で 使う"))
        await expect(phone.get_by_role("heading", name="佐藤 花子")).to_be_visible()
        assert officer.taps + resident.taps <= _MOST_STEPS_IN_THREE_MINUTES
        await officer.tap(desk.get_by_role("link", name="入れたか 見る"))
        await expect(desk.get_by_text("ログインしました")).to_be_visible()


async def log_in(page: Page, user: str) -> None:
    """As people do who have a password."""
    await page.goto("/login")
    await page.locator("#f-user").fill(user)
    await page.locator("#f-password").fill(PASSWORD)
    await page.locator("form[action='/login'] button").click()
