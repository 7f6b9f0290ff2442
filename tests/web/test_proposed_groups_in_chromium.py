"""A resident founds a group in Debian's Chromium without JavaScript: proposed, approved at the desk, looked after."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from server.accounts.looks import Look
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, Site
from tests.web.test_in_chromium import log_in, look

pytestmark = pytest.mark.slow


async def test_a_resident_founds_a_group(here: Site, chrome: Browser) -> None:
    async with (
        window(chrome, here.url, PHONE, script=False) as hanako, window(chrome, here.url, PHONE, script=False) as desk,
    ):
        for page, name in ((hanako, "佐藤 花子"), (desk, CHAIR)):
            await log_in(page, here, name)
            await here.node.accounts.looks.set(here.user(name), Look(letters=3))
        await hanako.goto("/groups")
        await hanako.get_by_role("link", name="新しい サークルを つくりたい").click()
        await hanako.get_by_label("サークルの名前").fill("囲碁の会")
        await hanako.get_by_label("何をしますか").fill("毎週土曜日の 2時から、集会所で")
        await hanako.get_by_text("趣味・学び").click()
        await look(hanako, "group_new")
        await hanako.get_by_role("button", name="申しこむ").click()
        await expect(hanako.get_by_text("返事を 待っています")).to_be_visible()
        await look(hanako, "groups_waiting")
        await desk.goto("/desk")
        await desk.get_by_role("link", name="サークルの 申しこみ").click()
        await look(desk, "desk_proposed_groups")
        await desk.get_by_role("button", name="つくる").click()
        await expect(desk.get_by_role("status").first).to_contain_text("保存しました")
        await hanako.goto("/groups")
        await hanako.get_by_role("link", name="囲碁の会").click()
        await expect(hanako.get_by_text("紹介を なおす")).to_be_visible()
        await look(hanako, "group_founded")
