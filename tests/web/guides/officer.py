"""役員: what an officer does in the first month of the year, on a tablet or a computer."""

from __future__ import annotations

from playwright.async_api import Page, expect

from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from tests.web.guides.book import Guide, Sheet, Step
from tests.web.guides.stage import COMPUTER, NEIGHBOUR, TABLET, Stage, resize
from tests.web.site import CHAIR

_TITLE = "防災訓練の お知らせ"
_TEXT = "12月6日（日）の 9時から、桜小学校で します。\n消火器と AEDの 使いかたを 習います。"


async def write(guide: Guide, stage: Stage) -> None:
    """Five sheets at the chair's desk."""
    async with stage.window(COMPUTER, CHAIR) as page:
        await _desk(page, guide.sheet(
            "役員の つくえ・招待カード", "ホームの いちばん下の「役員のつくえ」に、役員の 仕事が ぜんぶ あります。",
            "カードは 班ごとに 印刷されます。班長さんに わたして、配ってもらいます。"
            "役によって、できることは 変わります。",
        ))
        await _circular(page, guide.sheet(
            "回覧を 出す", "つくえの「回覧」→「回覧を 書く」を おします。",
            "出したあとでも、訂正と とりさげが できます。あとの 日時を きめて 出すことも できます。",
        ))
        await _reach(page, stage, guide.sheet(
            "だれが 読んだか・紙の 家", "出した 回覧を ひらくと、世帯ごとに わかります。",
            "「届いた」は、読んだ・紙を わたした・電話で 伝えた 世帯の 数です。",
        ))
        await _safety(page, stage, guide.sheet(
            "安否を たずねる", "つくえの「安否確認」→「安否確認を はじめる」を おします。",
            "読んだことは 答えでは ありません。まだの 家は「まだの家と 訪問」から、歩く 順に まわります。",
        ))
        await _question_and_rain(page, stage, guide.sheet(
            "質問に 答える・雨天中止", "どちらも、つくえの 最初の 画面から できます。",
            "電話が 鳴らない人は 名前が 出ます。その人には 電話を かけてください。",
        ))


async def _desk(page: Page, sheet: Sheet) -> None:
    await page.goto("/desk")
    tiles = {
        path: page.locator(f"main a.tile[href='/desk/{path}']")
        for path in ("circulars", "inquiries", "safety", "polls")
    }
    await sheet.look(
        page, "役員のつくえ", Step("「回覧」：書く、だれが 読んだか 見る。", at=tiles["circulars"]),
        Step("「質問・相談」：住民に 答える。", at=tiles["inquiries"]),
        Step("「安否確認」：災害のときに たずねる。", at=tiles["safety"]),
        Step("「アンケート」：出欠や 意見を 聞く。", at=tiles["polls"]), since=tiles["circulars"],
    )
    await resize(page, TABLET)
    await page.goto("/desk/invitations")
    await sheet.look(
        page, "招待カードを 作る 画面の おわり", Step("「招待カード」の 画面で、カードが いる 班を えらびます。"),
        Step("「PDFを 作る」を おして、印刷します。", at=page.get_by_role("button", name="PDFを 作る")),
        since=page.locator("legend", has_text="だれに 1枚"),
    )


async def _circular(page: Page, sheet: Sheet) -> None:
    await page.goto("/desk/circulars/new")
    title, text = page.get_by_label("題名"), page.get_by_label("本文")
    await title.fill(_TITLE)
    await text.fill(_TEXT)
    await sheet.look(
        page, "回覧を 書く 画面", Step("題名を 書きます。", at=title),
        Step("本文を 書きます。短い 文に します。", at=text),
        Step("この下で PDFや 写真を つけ、だれに 出すかを えらび、「つぎへ」を おします。"),
        since=page.locator("label", has_text="題名"),
    )
    await page.get_by_role("button", name="つぎへ").click()
    send = page.get_by_role("button", name="おくる")
    await sheet.look(
        page, "たしかめる 画面",
        Step("住民の 画面で どう 見えるかを たしかめます。", at=page.locator(".box", has_text=_TITLE)),
        Step("よければ「おくる」を おします。", at=send), since=page.get_by_role("heading", level=1),
    )
    await send.click()
    await expect(page.get_by_role("status").first).to_contain_text("おくりました")


async def _reach(page: Page, stage: Stage, sheet: Sheet) -> None:
    circulars = stage.here.node.association.circulars
    posted = page.url.partition("?")[0].rpartition("/")[2]
    for name in (NEIGHBOUR, "鈴木 一郎", "高橋 美咲"):
        await circulars.acknowledge(stage.here.user(name), posted)
    await page.goto(f"/desk/circulars/{posted}?only=not_yet")
    await sheet.look(
        page, "だれが 読んだか", Step("届いた 世帯の 数です。", at=page.locator(".figures .main")),
        since=page.get_by_role("heading", name="だれが 読んだか"),
    )
    home = page.locator("li", has=page.locator("b", has_text="小林 正")).last
    paper, phone = (home.get_by_role("button", name=name) for name in ("紙を わたしました", "電話で 伝えました"))
    await sheet.look(
        page, "まだの 世帯", Step("紙を 配ったら「紙を わたしました」。", at=paper),
        Step("電話したら「電話で 伝えました」。", at=phone), since=home,
    )
    again = page.get_by_role("button", name="まだの人に もう一度 知らせる")
    await sheet.look(
        page, "この回覧を", Step("まだ 見ていない 人の 電話を もう一度 鳴らします。", at=again),
        Step("紙の 家には、大きな 字で 印刷します。", at=page.get_by_role("button", name="紙（A4）に 印刷する")),
        since=again,
    )


async def _safety(page: Page, stage: Stage, sheet: Sheet) -> None:
    await page.goto("/desk/safety/new")
    real = page.locator("label.choice", has_text="本番")
    await sheet.look(
        page, "安否確認を はじめる 画面", Step("「本番」か「訓練」を えらび、下の「つぎへ」を おします。", at=real),
        since=page.get_by_role("heading", level=1),
    )
    await real.click()
    await page.get_by_label("題名").fill("震度5強の地震")
    await page.get_by_role("button", name="つぎへ").click()
    begin = page.get_by_role("button", name="安否確認を はじめる")
    await sheet.look(
        page, "たしかめる 画面", Step("人数を 見て、「安否確認を はじめる」を おします。", at=begin),
        since=page.get_by_role("heading", level=1),
    )
    await begin.click()
    checks = stage.here.node.association.safety_checks
    check = page.url.partition("?")[0].rpartition("/")[2]
    answers = {
        NEIGHBOUR: Status.SAFE, "鈴木 一郎": Status.SAFE, "高橋 美咲": Status.CONTACT, "伊藤 健": Status.HELP,
    }
    for name, status in answers.items():
        await checks.answer(stage.here.user(name), check, Given(status=status))
    await page.reload()
    await sheet.look(
        page, "数の 画面", Step("答えた 人の 数です。自分で 新しくなります。", at=page.locator(".figures .main")),
        Step("まず、助けと 連絡が いる人に 電話します。", at=page.locator(".figures .help-line")),
        since=page.locator(".figures"), until=page.locator(".figures li").last,
    )
    await page.goto("/desk")


async def _question_and_rain(page: Page, stage: Stage, sheet: Sheet) -> None:
    inquiries = stage.here.node.association.inquiries
    await inquiries.verbs.ask(stage.here.user(NEIGHBOUR), "うちの 前の 街灯が、夜に つきません。")
    await page.goto("/desk/inquiries")
    await page.get_by_role("link", name=NEIGHBOUR).click()
    take, answer = page.get_by_role("button", name="わたしが 担当する"), page.get_by_label("答え")
    await answer.fill("市に たのみました。今週中に なおります。")
    await sheet.look(
        page, "質問の 画面", Step("だれが 見ているかを 住民に 知らせます。", at=take),
        Step("答えを 書いて、下の「おくる」を おします。", at=answer), since=page.locator("ol.talk"),
    )
    await page.goto("/desk")
    off = page.get_by_role("link", name="雨天中止")
    await sheet.look(
        page, "つくえの いちばん上", Step("きょう・あすの 行事の「雨天中止」を おします。", at=off),
        since=page.get_by_role("heading", level=1),
    )
    await off.click()
    tell = page.get_by_role("button", name="中止を 知らせる")
    await sheet.look(
        page, "中止に する 画面", Step("「中止を 知らせる」で、行事、カレンダー、部屋に「中止」と 出ます。", at=tell),
        since=page.locator("label", has_text="わけ"),
    )


