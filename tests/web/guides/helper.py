"""地域支援員 (the role 補助): registers neighbours at their door or in the hall, and never sees their messages."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.web.guides.book import Guide, Sheet, Step
from tests.web.guides.stage import HELPER, OTHER_NEWCOMER, PHONE, Stage


async def write(guide: Guide, stage: Stage) -> None:
    """Five sheets; two telephones: the helper's, and that of the neighbour who is to come in."""
    async with stage.window(PHONE, HELPER) as mine, stage.window(PHONE) as theirs:
        await _desk(mine, guide.sheet(
            "手伝いの はじめかた",
            "名簿を さがして、招待番号を 出します。支援員《しえんいん》の 電話で できます。",
            "住民が 書いたこと、読んだこと、安否の 答えは、支援員《しえんいん》には 見えません。"
            "安心《あんしん》して たのんで もらえます。",
        ))
        await _search(mine, guide.sheet(
            "人を さがす", "かならず、本人の 前で さがします。",
            "名簿を 見た 人と 時刻は 記録されます。本人も あとで 見られます。"
            "用《よう》のない 人は ひらかないで ください。",
        ))
        code = await _code(mine, guide.sheet(
            "招待番号を 出す", "番号は 1回だけ 使えます。出すと、前の 番号は 使えなくなります。",
            "この 画面を、ほかの 人に 見せたり、写真に とったりしないで ください。",
        ))
        await _come_in(theirs, code, guide.sheet(
            "相手の 電話で はいる", "電話は、相手の 人に 持って もらい、自分で おして もらいます。",
            "カメラで もようを 写せたときは、2の 画面から はじまります。",
        ))
        await _last(theirs, guide.sheet(
            "帰《かえ》る 前に", "相手の 電話で、この 3つを いっしょに します。",
            "うまく いかないときは、紙の 回覧を つづけます。役員に 伝えてください。無理《むり》に すすめません。",
        ))


async def _desk(page: Page, sheet: Sheet) -> None:
    await page.goto("/")
    desk = page.locator("main a.button[href='/desk']")
    await sheet.look(page, "ホームの 画面の おわり", Step("「役員のつくえ」を おします。", at=desk),
                     since=page.locator("main a[href='/my']"))
    await desk.click()
    roster, cards = (page.locator(f"main a[href='{path}']") for path in ("/desk/roster", "/desk/invitations"))
    await sheet.look(
        page, "補助の 人の つくえ", Step("ひとりずつ 登録するときは「名簿」。", at=roster),
        Step("紙の カードを まとめて 印刷するときは「招待カード」。", at=cards),
        since=roster,
    )


async def _search(page: Page, sheet: Sheet) -> None:
    await page.goto("/desk/roster")
    field = page.get_by_label("名前で さがす")
    await field.fill(OTHER_NEWCOMER.split()[0])
    search = page.get_by_role("button", name="さがす")
    await sheet.look(
        page, "名簿の 画面", Step("名字《みょうじ》を 入れます。", at=field),
        Step("「さがす」を おします。", at=search),
    )
    await search.click()
    found = page.get_by_role("link", name=OTHER_NEWCOMER)
    await sheet.look(
        page, "見つかった 人", Step("名前と 班を たしかめて、おします。", at=found),
        since=page.get_by_role("heading", name=OTHER_NEWCOMER.split()[0]),
    )
    await found.click()


async def _code(page: Page, sheet: Sheet) -> str:
    give = page.get_by_role("button", name="招待番号を 出す")
    await sheet.look(
        page, "その人の 画面", Step("「登録」が「まだ」なら、「招待番号を 出す」を おします。", at=give),
        since=page.locator("dl.facts"),
    )
    await give.click()
    code, picture = page.locator(".arrived.code"), page.locator(".qr")
    await expect(code).to_be_visible()
    await sheet.look(
        page, "招待番号の 画面", Step("8文字の 番号です。相手の 電話に 入れてもらいます。", at=code),
        Step("カメラで この もようを 写してもらうと、入れなくて すみます。", at=picture),
        since=page.locator(".box.good"),
    )
    return await code.inner_text()


async def _come_in(page: Page, code: str, sheet: Sheet) -> None:
    await page.goto("/code")
    field = page.get_by_label("招待番号")
    await field.fill(code)
    go_on = page.get_by_role("button", name="つぎへ")
    await sheet.look(
        page, "招待番号を 入れる 画面", Step("8文字を 入れて、「つぎへ」を おします。", at=go_on),
        since=page.get_by_role("heading", level=1),
    )
    await go_on.click()
    use = page.get_by_role("button", name="この画面で 使う")
    await sheet.look(
        page, "招待の 画面", Step("名前が 本人の ものか、いっしょに 見ます。", at=page.locator(".arrived")),
        Step("「この画面で 使う」を おします。", at=use), since=page.locator(".box.good"),
    )
    await use.click()
    name = page.get_by_role("heading", name=OTHER_NEWCOMER)
    await expect(name).to_be_visible()
    await sheet.look(page, "相手の ホームの 画面", Step("名前が 出《で》れば、登録は おわりです。"), until=name)


async def _last(page: Page, sheet: Sheet) -> None:
    await page.goto("/my")
    ring, largest = (
        page.get_by_role("link", name="電話が 鳴るように する"), page.locator("label.choice", has_text="とても大きい"),
    )
    await sheet.look(
        page, "自分のページ：しらせ",
        Step("「電話が 鳴るように する」を おして、出てきた 画面で ゆるします。", at=ring),
        since=page.get_by_role("heading", name="しらせ"),
    )
    await sheet.look(
        page, "自分のページ：文字の 大きさ", Step("見やすい 大きさを えらんで もらいます。", at=largest),
        Step("「保存する」を おします。", at=page.locator("form[action='/my/look'] button")),
        since=page.locator("legend", has_text="文字の 大きさ"),
    )
    await page.goto("/")
    circulars = page.get_by_role("link", name="回覧板")
    await sheet.look(
        page, "相手の ホームの 画面", Step("「回覧板」を ひらいて、ひとつ いっしょに 読みます。", at=circulars),
        since=page.get_by_role("heading", level=1),
    )
