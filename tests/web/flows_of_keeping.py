"""What is done now and then: one's own page, the roster and its cards, bookings, duties, dangers, papers, the year."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Page, expect

from tests.web.flows import Stage, open_details, press, told


async def own_page(stage: Stage) -> None:
    """Larger letters, another language and back, paper or screen, what rings, what is kept, where one is logged in."""
    home = stage.home
    await home.goto("/my")
    await stage.look(home, "my")
    await home.get_by_text("English").click()
    await home.locator("form[action='/my/look'] button").click()
    await expect(home.get_by_role("heading", name="My page")).to_be_visible()
    await stage.look(home, "my_in_english")
    await home.get_by_text("日本語", exact=True).click()
    await home.locator("form[action='/my/look'] button").click()
    await told(home, "保存しました")
    for address in ("/my/data", "/my/devices", "/my/looks", "/my/news", "/my/reminders", "/my/calendar", "/my/leave"):
        await home.goto(address)
        await stage.look(home, address[1:].replace("/", "_"))
    await home.goto("/my/data")
    async with home.expect_download() as coming:
        await press(home, "ファイルに して もらう", exact=False)
    assert (await coming.value).suggested_filename.endswith(".zip")
    await home.goto("/my/news")
    await home.get_by_label("アンケート").uncheck()
    await press(home, "保存する")
    await told(home, "保存しました")


async def roster_and_cards(stage: Stage) -> None:
    """Somebody is added, gets a role, a card, a card for a new telephone."""
    desk = stage.desk
    await desk.goto("/desk/roster/new")
    await desk.get_by_label("氏名", exact=True).fill("新井 太郎")
    await stage.look(desk, "roster_new")
    await press(desk, "くわえる")
    await desk.goto("/desk/roster?q=新井")
    await stage.look(desk, "roster")
    await desk.get_by_role("link", name="新井 太郎").click()
    await desk.get_by_label("補助").check()
    await stage.look(desk, "roster_person")
    await press(desk, "役を 保存する")
    await told(desk, "保存しました")
    await desk.goto("/desk/invitations")
    await stage.look(desk, "invitations")
    async with desk.expect_download() as coming:
        await desk.locator("main form button").first.click()
    assert (await coming.value).suggested_filename.endswith(".pdf")
    await desk.goto("/desk/phones?q=佐藤")
    await desk.get_by_role("link", name="佐藤 花子").click()
    await stage.look(desk, "phone")
    await press(desk, "カードを 出す")
    await expect(desk.locator(".qr svg")).to_be_visible()
    await stage.look(desk, "phone_card")


async def hall_is_booked(stage: Stage) -> None:
    """A facility is entered, asked for, confirmed."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/facilities/new")
    await desk.get_by_label("名前").fill("集会所")
    await desk.get_by_text("役員が 確認してから").click()
    await stage.look(desk, "facility_new")
    await press(desk, "保存する")
    await home.goto("/bookings")
    await stage.look(home, "bookings")
    await home.get_by_role("link", name="集会所").click()
    await home.goto(f"{home.url.partition('?')[0].removesuffix('/day')}/day?day={stage.day(3)}")
    await stage.look(home, "facility")
    await home.get_by_label("はじまり", exact=True).fill("10:00")
    await home.get_by_label("おわり", exact=True).fill("12:00")
    await press(home, "予約する")
    await stage.look(home, "booking")
    await desk.goto("/desk/bookings")
    await stage.look(desk, "desk_bookings")
    await press(desk, "うける")
    await home.reload()
    await expect(home.get_by_text("確認待ち")).to_have_count(0)


async def duty_in_turn(stage: Stage) -> None:
    """Arranged, seen, said to be done."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/duties/new")
    await desk.get_by_label("なまえ").fill("ごみ置き場の 掃除")
    await desk.get_by_label("1班").check()
    await desk.get_by_label("はじまりの日").fill(stage.day(0))
    await stage.look(desk, "duty_new")
    await press(desk, "知らせる")
    await stage.look(desk, "duty")
    await home.goto("/duties")
    await stage.look(home, "duties")
    await home.get_by_role("link", name="ごみ置き場の 掃除").first.click()
    await stage.look(home, "duty_of_mine")


async def danger_is_reported(stage: Stage) -> None:
    """A branch is broken: reported, seen by an officer, put right."""
    desk, home = stage.desk, stage.home
    await home.goto("/hazards/new")
    await home.get_by_text("木・枝").click()
    await home.get_by_label("どこですか").fill("桜公園の北")
    await stage.look(home, "hazard_new")
    await press(home, "知らせる")
    await desk.goto("/hazards")
    await desk.get_by_role("link", name="桜公園の北").first.click()
    await stage.look(desk, "hazard")
    await press(desk, "役員が 見ました")
    await press(desk, "なおりました")
    await expect(desk.get_by_text("なおりました").first).to_be_visible()


async def papers_that_stand(stage: Stage) -> None:
    """Written once, there for everybody, also without signal."""
    desk, home = stage.desk, stage.home
    await desk.goto("/desk/papers/shelters")
    await desk.get_by_label("本文").fill("桜小学校の 体育館\n電話 03-1234-5678")
    await stage.look(desk, "paper_form")
    await press(desk, "保存する")
    await home.goto("/papers")
    await stage.look(home, "papers")
    await home.get_by_role("link", name="避難所").click()
    await expect(home.get_by_role("link", name="03-1234-5678")).to_be_visible()
    await stage.look(home, "paper")
    await home.goto("/kept")
    await stage.look(home, "kept")


async def year_in_figures(stage: Stage) -> None:
    """The figures, as a file; a good example; whom nothing reaches; whether all is well."""
    desk = stage.desk
    for address in ("/desk/year", "/desk/examples", "/desk/unreached", "/desk/well", "/desk/handover", "/desk/links"):
        await desk.goto(address)
        await stage.look(desk, address[1:].replace("/", "_"))
    await desk.goto("/desk/year")
    async with desk.expect_download() as coming:
        await press(desk, "ファイル（CSV）に 出す")
    assert (await coming.value).suggested_filename.endswith(".csv")


async def officers_change(stage: Stage) -> None:
    """Who comes after whom is chosen; then it is given up."""
    desk = stage.desk
    await desk.goto("/desk/handover")
    await press(desk, "じゅんびを はじめる")
    await desk.goto(f"{desk.url.partition('?')[0]}?q=佐藤")
    await stage.look(desk, "handover")


async def question_without_a_name(stage: Stage) -> None:
    """Allowed at the desk, asked, reported, decided; the reason is kept."""
    desk, home, other = stage.desk, stage.home, stage.next_door
    await desk.goto("/desk/board/rules")
    await desk.get_by_text("名前を 出さない質問を ゆるす").click()
    await press(desk, "保存する")
    await home.goto("/board/new")
    await home.get_by_text("質問・困りごと", exact=True).click()
    await home.get_by_label("題名").fill("となりの 音")
    await home.get_by_label("本文").fill("どうすれば いいですか")
    await home.get_by_text("名前を 出さないで").click()
    await press(home, "おくる")
    await told(home, "おくりました")
    address = home.url.partition("?")[0]
    await other.goto(address)
    await expect(other.get_by_text("佐藤 花子")).to_have_count(0)
    await _report(other)
    await desk.goto("/desk/board")
    await stage.look(desk, "board_to_decide")
    await desk.get_by_role("button", name="問題ない").or_(desk.locator("summary", has_text="問題ない")).first.click()
    await desk.goto("/desk/board/decisions")
    await stage.look(desk, "board_decisions")


async def _report(page: Page) -> None:
    await open_details(page, "役員に")
    await page.locator("details[open]").get_by_role("textbox").first.fill("名前が わかります")
    await page.locator("details[open] button").first.click()
    await told(page, "役員に 知らせました")


NOW_AND_THEN: Final = (
    own_page, roster_and_cards, hall_is_booked, duty_in_turn, danger_is_reported, papers_that_stand, year_in_figures,
    officers_change, question_without_a_name,
)
