"""By keyboard alone: a resident logs in, answers, reads, asks; an officer writes. What has the focus is seen."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Browser, Page, expect

from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from tests.web.real_browser import COMPUTER, window
from tests.web.site import CHAIR, PASSWORD, Site

_MOST_TABS: Final = 60
_FOCUSED: Final = """() => {
  const item = document.activeElement
  const label = item.labels && item.labels[0] ? item.labels[0].textContent : ''
  return [`${label} ${item.textContent}`, getComputedStyle(item).outlineStyle]
}"""


async def reach(page: Page, words: str) -> None:
    """Press Tab until what says ``words`` has the focus; it is seen to have it."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        said, outline = await page.evaluate(_FOCUSED)
        if words in said:
            assert outline != "none", words
            return
    raise AssertionError(f"no way to {words!r} by keyboard")


async def press(page: Page, words: str) -> None:
    """Reach it and press Enter."""
    await reach(page, words)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def come_in(page: Page, here: Site, name: str) -> None:
    user = await here.set_password(name)
    await page.goto("/login")
    await reach(page, "ユーザーID")
    await page.keyboard.type(user)
    await reach(page, "パスワード")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=f"{name}さん")).to_be_visible()


async def test_a_resident_answers_reads_and_asks_by_keyboard(here: Site, chrome: Browser) -> None:
    chair, association = here.user(CHAIR), here.node.association
    await association.circulars.post(chair, Letter(title="断水", text="9日の 朝です。", audience=EVERYONE))
    await association.polls.start(chair, Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE))
    await association.safety_checks.start(chair, "地震", EVERYONE, drill=True)
    async with window(chrome, here.url, COMPUTER) as page:
        await come_in(page, here, "佐藤 花子")
        await press(page, "無事です")
        await expect(page.get_by_role("status").filter(has_text="届きました").first).to_be_visible()
        await page.goto("/")
        await press(page, "本文へ")  # past what is the same on every page
        await press(page, "回覧板")
        await press(page, "断水")
        await press(page, "了解")
        await expect(page.get_by_text("役員に 届いています。")).to_be_visible()
        await page.goto("/")
        await press(page, "アンケート")
        await press(page, "はい")
        await expect(page.get_by_role("status").filter(has_text="届きました")).to_be_visible()
        await page.goto("/talk")
        await reach(page, "書くところ")
        await page.keyboard.type("街灯が きれています")
        await press(page, "おくる")
        await expect(page.get_by_text("街灯が きれています")).to_be_visible()


async def test_an_officer_writes_a_circular_by_keyboard(here: Site, chrome: Browser) -> None:
    async with window(chrome, here.url, COMPUTER) as page:
        await come_in(page, here, CHAIR)
        await page.goto("/desk/circulars/new")
        await reach(page, "題名")
        await page.keyboard.type("清掃")
        await reach(page, "本文")
        await page.keyboard.type("日曜の 朝8時です。")
        await reach(page, "全員")
        await page.keyboard.press("ArrowDown")
        await reach(page, "1班")
        await page.keyboard.press("Space")
        await press(page, "つぎへ")
        await expect(page.get_by_text("1班（3人）")).to_be_visible()
        await press(page, "おくる")
        await expect(page.get_by_role("status").first).to_contain_text("おくりました")
