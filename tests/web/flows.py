"""Everything that residents and officers do, step by step on the real pages; each step is looked at where it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from playwright.async_api import FilePayload, Page, expect

from server.foundation.clock import tokyo_time
from tests.association.circulars.test_pdf_text import pdf
from tests.association.polls.test_slips import photo_of
from tests.web.pictures import photo
from tests.web.site import Site


@dataclass(frozen=True, slots=True)
class Stage:
    """An officer at ``desk``, residents at ``home`` and ``next_door``; ``look`` says how a page is looked at."""

    here: Site
    desk: Page
    home: Page
    next_door: Page
    look: Callable[[Page, str], Awaitable[None]]

    def day(self, days: int) -> str:
        """So many days from today, as fields of forms hold it."""
        today = tokyo_time(self.here.node.core.clock.now_ms())
        return f"{today + timedelta(days=days):%Y-%m-%d}"


async def press(page: Page, name: str, *, exact: bool = True) -> None:
    """A button."""
    await page.get_by_role("button", name=name, exact=exact).first.click()


async def told(page: Page, words: str) -> None:
    """What a page says was done."""
    await expect(page.get_by_role("status").filter(has_text=words).first).to_be_visible()


async def open_details(page: Page, name: str) -> None:
    """What must be thought over."""
    await page.locator("summary", has_text=name).first.click()


async def circular_from_a_pdf(stage: Stage) -> None:
    """Written from a PDF, important, sent, read, stamped, acknowledged, corrected, printed, told again, found."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/circulars/new")
    words = pdf(["断水のお知らせ", "九日の朝九時から。"])
    paper = FilePayload(name="断水.pdf", mimeType="application/pdf", buffer=words)
    await desk.get_by_label("PDFや 写真を つける").set_input_files(paper)
    await press(desk, "PDFの 文を 読みとる", exact=False)
    await told(desk, "読みとりました")
    await desk.get_by_label("題名").fill("断水の お知らせ")
    await desk.get_by_text("大切な 回覧").click()
    await stage.look(desk, "circular_from_pdf")
    await press(desk, "つぎへ", exact=False)
    await stage.look(desk, "circular_preview")
    await press(desk, "おくる")
    await told(desk, "おくりました")
    await stage.look(desk, "circular_reach")
    await home.goto("/circulars")
    await stage.look(home, "circulars")
    await home.get_by_role("link", name="断水の お知らせ").click()
    await press(home, "ありがとう", exact=False)
    await expect(home.locator(".stamp[aria-pressed=true]")).to_have_count(1)
    await stage.look(home, "circular")
    await press(home, "了解", exact=False)
    await told(home, "了解しました")
    await home.goto("/circulars")
    await home.get_by_label("ことばで さがす").fill("断水")
    await press(home, "さがす")
    await expect(home.get_by_role("link", name="断水の お知らせ")).to_be_visible()
    await desk.get_by_role("link", name="訂正する").click()
    await desk.get_by_label("訂正の わけ").fill("時刻")
    await stage.look(desk, "circular_correct")
    await press(desk, "訂正して おくる")
    await told(desk, "なおしました")
    await press(desk, "紙を わたしました")
    await told(desk, "書きました")
    await press(desk, "まだの人に もう一度 知らせる", exact=False)
    await told(desk, "おくりました")
    for button, ending in (("紙の世帯の分を", ".pdf"), ("読んだ人を", ".csv")):
        async with desk.expect_download() as coming:
            await press(desk, button, exact=False)
        assert (await coming.value).suggested_filename.endswith(ending)


async def circular_at_a_set_time(stage: Stage) -> None:
    """Planned, changed, dropped; another one taken back."""
    desk = stage.desk
    await desk.goto("/desk/circulars/new")
    await desk.get_by_label("題名").fill("あとで")
    await desk.get_by_label("本文").fill("1月に します。")
    await press(desk, "つぎへ", exact=False)
    await open_details(desk, "日時を きめて 回覧する")
    await desk.get_by_label("日", exact=True).fill(stage.day(2))
    await press(desk, "この日時に 回覧する")
    await told(desk, "予約しました")
    await desk.get_by_role("link", name="あとで").click()
    await stage.look(desk, "circular_planned")
    await press(desk, "いますぐ 回覧する")
    await told(desk, "おくりました")
    await open_details(desk, "とりさげる")
    await press(desk, "とりさげる")
    await told(desk, "とりさげました")


async def gathering_and_rain(stage: Stage) -> None:
    """Announced, answered, seen in the calendar, called off in two taps."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/gatherings/new")
    await desk.get_by_label("名前").fill("夏まつり")
    await desk.get_by_label("日にち").fill(stage.day(1))
    await desk.get_by_label("はじまる時刻").fill("10:00")
    await desk.get_by_text("みんなに きく").click()
    await stage.look(desk, "gathering_new")
    await press(desk, "知らせる")
    await home.goto("/gatherings")
    await stage.look(home, "gatherings")
    await home.get_by_role("link", name="夏まつり").click()
    await stage.look(home, "gathering")
    await press(home, "行きます")
    await told(home, "届きました")
    await home.goto(f"/calendar?month={stage.day(1)[:7]}")
    await expect(home.get_by_role("link", name="夏まつり")).to_be_visible()
    await stage.look(home, "calendar")
    await desk.goto("/desk")
    await desk.get_by_role("link", name="雨天中止").click()
    await stage.look(desk, "rain")
    await press(desk, "中止を 知らせる", exact=False)
    await home.reload()
    await expect(home.get_by_text("中止").first).to_be_visible()


async def talk_with_the_officers(stage: Stage) -> None:
    """Asked with a photo, looked after, answered, read."""
    desk, home = stage.desk, stage.home
    await home.goto("/talk")
    await home.get_by_label("書くところ").fill("街灯が きれています")
    await home.set_input_files("#f-camera", FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=photo()))
    await stage.look(home, "talk")
    await press(home, "おくる")
    await told(home, "届きました")
    await desk.goto("/desk/inquiries")
    await stage.look(desk, "inquiries")
    await desk.get_by_text("街灯が きれています").click()
    await press(desk, "わたしが 担当する")
    await desk.get_by_label("答え").fill("市に つたえました")
    await stage.look(desk, "inquiry")
    await press(desk, "おくる")
    await told(desk, "おくりました")
    await home.goto("/talk")
    await expect(home.get_by_text("市に つたえました")).to_be_visible()
    await stage.look(home, "talk_answered")
    await desk.goto("/desk/inquiries/new")
    await stage.look(desk, "inquiry_new")


async def poll_on_paper(stage: Stage) -> None:
    """Asked, answered by one tap, slips printed, one read from a photo, closed, taken as a file."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/polls/new")
    await desk.get_by_label("質問").fill("手伝いが できますか")
    await stage.look(desk, "poll_new")
    await press(desk, "おくる")
    await home.goto("/polls")
    await home.get_by_role("link", name="手伝いが できますか").click()
    await stage.look(home, "poll")
    await press(home, "はい")
    await told(home, "届きました")
    async with desk.expect_download() as coming:
        await press(desk, "紙の世帯の 用紙を 印刷する", exact=False)
    assert (await coming.value).suggested_filename.endswith(".pdf")
    await stage.look(desk, "poll_result")
    await desk.goto("/desk/scan")
    await stage.look(desk, "scan")
    blank = FilePayload(name="x.jpg", mimeType="image/jpeg", buffer=photo_of())
    await desk.set_input_files("input[name=photo]", blank)
    await press(desk, "写真を 読む", exact=False)
    await expect(desk.get_by_role("alert")).to_be_visible()
    await stage.look(desk, "scan_nothing")


async def safety_check(stage: Stage) -> None:
    """Begun, answered, written down at a door, closed."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/safety/new")
    await desk.get_by_text("訓練（すべてに").click()
    await press(desk, "つぎへ", exact=False)
    await stage.look(desk, "safety_sure")
    await press(desk, "訓練を はじめる")
    await home.goto("/")
    await stage.look(home, "home_asked")
    await press(home, "無事です")
    await told(home, "届きました")
    await stage.look(home, "safety_arrived")
    await stage.look(desk, "safety_table")
    await desk.get_by_role("link", name="まだの家と 訪問").click()
    await stage.look(desk, "safety_visits")
    await desk.locator("main a[href*='/desk/safety/'][href$='/visits'] ~ *, main .list a").first.click()
    await stage.look(desk, "safety_home")
    await press(desk, "無事です", exact=False)
    await told(desk, "書きました")
    await desk.get_by_role("link", name="数へ もどる").click()
    await desk.get_by_role("link", name="安否確認を おわる").click()
    await press(desk, "おわる")
    await told(desk, "おわりました")


EVERYDAY: Final = (
    circular_from_a_pdf, circular_at_a_set_time, gathering_and_rain, talk_with_the_officers, poll_on_paper,
    safety_check,
)
