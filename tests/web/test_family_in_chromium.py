"""A family with one telephone in Debian's Chromium: a number, one tap to change over, a check answered for all."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from server.accounts.looks import Look
from server.association.members.model import EVERYONE
from tests.web.household import HANAKO, SAKURA, TARO, move_in
from tests.web.real_browser import PHONE, window
from tests.web.site import Site
from tests.web.test_in_chromium import log_in, look

pytestmark = pytest.mark.slow


async def test_a_family_shares_one_telephone(here: Site, chrome: Browser) -> None:
    association = here.node.association
    for name in (TARO, SAKURA):
        await move_in(here, name)
        await here.node.accounts.looks.set(here.user(name), Look(letters=3))
    async with window(chrome, here.url, PHONE, script=False) as page:
        await log_in(page, here, HANAKO)
        await here.node.accounts.looks.set(here.user(HANAKO), Look(letters=3))
        await page.goto("/my")
        await page.get_by_role("link", name="家族で 1台の 電話を 使う").click()
        await look(page, "my_family_alone")
        await page.get_by_role("button", name="わたしの 番号を 出す").click()
        await look(page, "my_family_card")
        for name in (TARO, SAKURA):
            card = await here.invitations.family_card(here.user(name))
            await page.goto("/my/family")
            await page.get_by_role("link", name="番号を 入れる").click()
            await page.get_by_label("招待番号").fill(card.code)
            await page.get_by_role("button", name="つぎへ").click()
            await look(page, "invitation_family")
            await page.get_by_role("button", name="この電話を 家族で 使う").click()
            await expect(page.get_by_role("status").first).to_contain_text("くわえました")
        await look(page, "my_family")
        await page.get_by_role("button", name=f"{TARO}さんに かわる").click()
        await expect(page.get_by_role("heading", name=f"{TARO}さん")).to_be_visible()
        check = await association.safety_checks.announce(here.chief, "地震", EVERYONE, drill=True)
        await association.safety_checks.ask(check.id)
        await page.goto("/")
        await look(page, "home_family")
        await page.get_by_role("link", name="家族みんなの ぶんを こたえる").click()
        await look(page, "safety_family")
        await page.get_by_role("button", name="みんな 無事です").click()
        await expect(page.get_by_text(f"{TARO}さんが かわりに こたえました").first).to_be_visible()
        await look(page, "safety_family_done")
