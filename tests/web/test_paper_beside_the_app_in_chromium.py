"""An officer with a telephone in Debian's Chromium: what neighbours said by telephone is written down, the gathering is
called off in two taps, and those who must be called are ticked; without JavaScript just the same.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from server.accounts.looks import Look
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, Site
from tests.web.test_attendance_pages import announced
from tests.web.test_in_chromium import log_in, look

pytestmark = pytest.mark.slow


async def test_written_down_called_off_and_called(here: Site, chrome: Browser) -> None:
    await here.node.association.editor.change_person(here.chief, here.person("田中 実").id, phone="076-111-2222")
    gathering = await announced(here)
    async with window(chrome, here.url, PHONE, script=False) as page:
        await log_in(page, here, CHAIR)
        await here.node.accounts.looks.set(here.user(CHAIR), Look(letters=3))
        await page.goto("/desk")
        await page.get_by_role("link", name="行事の出欠").click()
        await look(page, "desk_attendance")
        await page.get_by_role("link", name=gathering.plan.title).click()
        await page.get_by_role("link", name="田中 実").click()
        await page.get_by_text("行きます", exact=True).click()
        await page.get_by_label("来る人数").fill("3")
        await look(page, "desk_attendance_home")
        await page.get_by_role("button", name="書きこむ").click()
        await expect(page.get_by_role("status").first).to_contain_text("書きました")
        await look(page, "desk_attendance_answers")
        await page.goto(f"/desk/gatherings/{gathering.id}/cancel")
        await look(page, "desk_gathering_off")
        await page.get_by_role("button", name="中止を 知らせる").click()
        await expect(page.get_by_role("heading", name="電話で 知らせる人")).to_be_visible()
        await look(page, "desk_calls")
        await page.get_by_role("button", name="知らせた").click()
        await expect(page.get_by_text("みんなに 知らせました")).to_be_visible()
        await look(page, "desk_calls_done")
