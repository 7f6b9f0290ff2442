"""住民: from the slip of paper to an answer, for somebody who has never used such a thing. On a telephone."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from server.association.members.model import EVERYONE
from tests.web.guides.book import Guide, Sheet, Step
from tests.web.guides.slip import photographed_slip
from tests.web.guides.stage import CLEANING, NEWCOMER, PHONE, PUBLIC_URL, Stage
from tests.web.site import CHAIR


async def write(guide: Guide, stage: Stage) -> None:
    """Five sheets, by one resident on one telephone."""
    async with stage.window(PHONE) as page:
        await _come_in(page, stage, guide.sheet(
            "はじめて 使う日", "班長さんから もらう カードで はじめます。1分で おわります。",
            "写せないときは、カードに 書いてある ページを ひらいて、8文字の 番号を 入れます。",
        ))
        await _read_circular(page, guide.sheet(
            "回覧を 読む", "新しい 回覧が あると、ホームの 画面に 赤《あか》い 数字が 出ます。",
            "あとから 何度《なんど》でも 読めます。まちがえて おしても、こまることは ありません。",
        ))
        await _answer_check(page, stage, guide.sheet(
            "安否確認に 答える", "地震などの とき、ホームの いちばん 上に 出ます。",
            "見ただけでは、答えたことに なりません。かならず ひとつ おしてください。",
        ))
        await _come_and_ask(page, guide.sheet("行事の 返事・役員に 聞く", "どちらも、ホームの 画面から ひらきます。"))
        await _make_larger(page, guide.sheet(
            "字《じ》を 大きくする・こまったとき", "見えにくいときは、字《じ》を 大きくしましょう。",
            "電話を かえたとき、わからないときは、班長さんか 役員に 聞いてください。紙の 回覧のままでも かまいません。",
        ))


async def _come_in(page: Page, stage: Stage, sheet: Sheet) -> None:
    card = (await stage.here.invitations.cards_for(stage.here.chief, [stage.here.person(NEWCOMER)]))[0]
    sheet.show(
        "紙の カード", *photographed_slip(card, "桜町町内会", f"{PUBLIC_URL}/code"),
        ("電話の カメラで、この もようを 写します。", True), ("電話に 出《で》た 文字《じ》を おします。", False),
    )
    await page.goto(urlsplit(card.link).path)
    use = page.get_by_role("button", name="この画面で 使う")
    await sheet.look(
        page, "招待の 画面", Step("あなたの 名前か、たしかめます。", at=page.locator(".arrived")),
        Step("「この画面で 使う」を おします。", at=use), since=page.locator(".box.good"),
    )
    await use.click()
    await expect(page.get_by_role("heading", name=NEWCOMER)).to_be_visible()
    await sheet.look(
        page, "ホームの 画面", Step("この 画面が 出《で》れば おわりです。パスワードは いりません。"),
        until=page.get_by_role("link", name="回覧板"),
    )


async def _read_circular(page: Page, sheet: Sheet) -> None:
    tile = page.get_by_role("link", name="回覧板")
    await sheet.look(page, "ホームの 画面", Step("「回覧板」を おします。", at=tile))
    await tile.click()
    item = page.get_by_role("link", name=CLEANING.title)
    await sheet.look(
        page, "回覧板の 一覧", Step("読みたいものを おします。「まだ」は、まだ 読んでいない しるしです。", at=item),
        since=page.get_by_role("heading", name="回覧板"),
    )
    await item.click()
    button = page.get_by_role("button", name="了解")
    await sheet.look(
        page, "回覧の 画面", Step("下《した》へ 動《うご》かして 読みます。"),
        Step("読んだら「了解」を おします。", at=button),
        since=page.get_by_role("heading", level=1),
    )
    await button.click()


async def _answer_check(page: Page, stage: Stage, sheet: Sheet) -> None:
    checks = stage.here.node.association.safety_checks
    check = await checks.announce(stage.here.user(CHAIR), "震度5強の地震", EVERYONE, drill=False)
    await checks.ask(check.id)
    await page.goto("/")
    safe = page.get_by_role("button", name="無事です")
    await sheet.look(
        page, "ホームの 画面に 出た 安否確認", Step("だいじょうぶなら「無事です」。", at=safe),
        Step("話を したいときは「連絡がほしい」。", at=page.get_by_role("button", name="連絡がほしい")),
        Step("すぐ 来てほしいときは「助けがほしい」。", at=page.get_by_role("button", name="助けがほしい")),
        since=page.locator("section.box"),
    )
    await safe.click()
    arrived = page.get_by_role("status").get_by_text("届きました")
    await expect(arrived).to_be_visible()
    await sheet.look(
        page, "答えた あとの 画面", Step("「届きました」と 時刻が 出《で》たら、役員に 届いています。", at=arrived),
        Step("まちがえたら「こたえを 変える」を おします。", at=page.locator("summary", has_text="こたえを 変える")),
        since=page.locator("section.box"),
    )


async def _come_and_ask(page: Page, sheet: Sheet) -> None:
    await page.goto("/")
    gatherings, talk = (page.locator(f"main a[href='{path}']") for path in ("/gatherings", "/talk"))
    await sheet.look(
        page, "ホームの 画面", Step("予定を 見るときは「行事」。", at=gatherings),
        Step("役員に 聞くときは「窓口」。", at=talk), since=gatherings,
    )
    await gatherings.click()
    await page.get_by_role("link", name="町内いっせい清掃").click()
    comes = page.get_by_role("button", name="行きます")
    await sheet.look(
        page, "行事の 画面", Step("来られるときは「行きます」、来られないときは「行きません」。", at=comes),
        since=page.get_by_role("heading", name="来ますか"), until=page.get_by_role("button", name="行きません"),
    )
    await page.goto("/talk")
    field = page.get_by_label("書くところ")
    await field.fill("うちの 前の 街灯が、夜に つきません。")
    await sheet.look(
        page, "窓口の 画面", Step("聞きたいことを 書いて、下の「おくる」を おします。返事も ここに 出ます。", at=field),
        since=page.locator("label", has_text="書くところ"),
    )


async def _make_larger(page: Page, sheet: Sheet) -> None:
    await page.goto("/")
    mine = page.locator("main a[href='/my']")
    await sheet.look(
        page, "ホームの 画面の おわり", Step("ホームの 画面の 下の「自分のページ」を おします。", at=mine),
        since=page.locator("main a[href='/talk']"),
    )
    await mine.click()
    largest = page.locator("label.choice", has_text="とても大きい")
    save = page.locator("form[action='/my/look'] button")
    await sheet.look(
        page, "自分のページ", Step("「とても大きい」を おします。", at=largest),
        Step("「保存する」を おします。", at=save),
        since=page.locator("legend", has_text="文字の 大きさ"),
    )
    await largest.click()
    await save.click()
    await page.goto("/")
    await sheet.look(
        page, "字が 大きくなった ホームの 画面", Step("どの 画面の 字《じ》も 大きくなります。"),
        until=page.get_by_role("heading", level=1),
    )
