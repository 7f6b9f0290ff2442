"""市の担当: from the first link to the yearly list, at a computer in the town hall."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

from playwright.async_api import Browser, Page, expect

from server.association.members.made_up_people import households
from server.association.members.model import Role
from tests.federation.wide_area.desks import site_of
from tests.federation.wide_area.places import Place, comes, link, until, wide_area
from tests.federation.wide_area.test_liaison import opens, state_of
from tests.web.guides.book import Guide, Sheet, Step
from tests.web.guides.stage import COMPUTER, TABLET, Stage, a_monday, resize

CITY: Final = "花見市"
SAKURA: Final = "桜町町内会"
UME: Final = "梅町町内会"
_OFFICE: Final = "市民協働課"
# So many that neither those who have confirmed nor the others are hidden for being few.
_RESIDENTS: Final = 14
_CONFIRMED: Final = 8
_TITLE: Final = "断水の お知らせ"


@dataclass(frozen=True, slots=True)
class Region:
    """The city's desk, the city and one of the two associations that are linked, and their liaison room."""

    stage: Stage
    city: Place
    sakura: Place
    room: str


@asynccontextmanager
async def region(folder: Path, browser: Browser, sharpness: float) -> AsyncIterator[Region]:
    """A city and two associations on nodes of their own."""
    almanac = a_monday()
    roles = {CITY: "city", SAKURA: "association", UME: "association"}
    async with wide_area(folder, almanac, **roles) as (city, sakura, ume):
        here = site_of(city)
        await here.add(_OFFICE, CITY, [Role.CHAIR])
        for place in (sakura, ume):
            for name in _names(place):
                await site_of(place).add(name, "1班")
        room = (await link(city, sakura, "17201/sakura")).room_id
        await link(city, ume, "17201/ume")
        for place in (sakura, ume):
            await place.verbs.progress.telling.choose(place.me, [city.server])
        for place in (city, sakura):
            await opens(place, room)
        yield Region(Stage(here, browser, here.url, almanac, sharpness), city, sakura, room)


def _names(place: Place) -> list[str]:
    """One of every household."""
    homes = households(place.node.settings.association.name)
    return [home.persons[0].name for home in islice(homes, _RESIDENTS)]


async def write(guide: Guide, place: Region) -> None:
    """Five sheets at the city's desk."""
    async with place.stage.window(TABLET, _OFFICE) as page:
        await _link(page, guide.sheet(
            "町内会と つながる", "つくえの「市・連合会との つながり」を ひらきます。",
            "つなぐかは、町内会の 役員が 決めます。何が つたわるかは、役員の 画面に 先に 出ます。",
        ))
        await _send(page, guide.sheet(
            "一斉に 知らせる", "つくえの「一斉配信」→「あたらしく 書く」を おします。",
            "まちがえても、あとで「なおす」「取り消す」が できます。町内会の 回覧も 同じように 変わります。",
        ))
        await _watch(page, place, guide.sheet(
            "届きぐあいを 見る", "送った お知らせを ひらくと、町内会ごとの 人数が 出ます。",
            "もどるのは 人数だけで、名前は もどりません。少ない 人数は「非公開」に なります。",
        ))
        await _talk(page, place, guide.sheet(
            "連絡室で 相談に 答える", "つくえの「市・連合会との つながり」→「連絡室」を おします。",
            "だれが、いつから 担当しているかが、市と 町内会の 両方に 見えます。",
        ))
        await _look_back(page, guide.sheet(
            "依頼の 一覧・町内会の ようす", "どちらも、つくえの「一斉配信」から ひらきます。",
            "ようすが 出るのは、町内会が「つたえる」と 決めたときだけです。町内会は いつでも やめられます。",
        ))


async def _link(page: Page, sheet: Sheet) -> None:
    await page.goto("/desk/links")
    make = page.get_by_role("button", name="招待コードを 作る")
    fields = {"相手の 名前": "松町町内会", "地域の コード": "17201/matsu", "地域の 名前": "松町"}
    for label, value in fields.items():
        await page.get_by_label(label).fill(value)
    await sheet.look(
        page, "招待する ところ", Step("町内会の 名前を 書きます。", at=page.get_by_label("相手の 名前")),
        Step("市の コードの うしろに、地域の 名前を つけます。", at=page.get_by_label("地域の コード")),
        Step("「招待コードを 作る」を おします。", at=make), since=page.locator("label", has_text="相手の 名前"),
    )
    await make.click()
    await sheet.look(
        page, "招待コードの もよう",
        Step("コードが 1回だけ 出ます。文字か、この もようを、相手の 役員に わたします。", at=page.locator(".qr svg")),
        since=page.locator(".qr svg"),
    )


async def _send(page: Page, sheet: Sheet) -> None:
    await page.goto("/desk/notices/new")
    await page.get_by_label("題名").fill(_TITLE)
    await page.get_by_label("本文").fill("あす 13時から 16時まで、水道工事の ため 水が 出ません。")
    kind = page.locator("label.choice", has_text="お知らせ").first
    await sheet.look(
        page, "一斉配信を 書く 画面", Step("お知らせ・アンケート・安否確認から えらびます。", at=kind),
        Step("題名を 書きます。つづけて、本文、地域、分野、急ぎを えらびます。", at=page.get_by_label("題名")),
        since=page.get_by_role("heading", level=1),
    )
    await page.get_by_label("担当の 課").fill("水道課")
    await page.locator("label.choice", has_text=CITY).locator("input").check()
    await page.get_by_role("button", name="たしかめる").click()
    send = page.get_by_role("button", name="送る")
    await sheet.look(
        page, "これで 送りますか", Step("届く 相手の 名前を 見ます。", at=page.locator("p", has_text="届く相手")),
        Step("よければ「送る」を おします。", at=send), since=page.get_by_role("heading", level=1),
    )
    await send.click()
    await expect(page.get_by_role("heading", name=_TITLE)).to_be_visible()


async def _watch(page: Page, place: Region, sheet: Sheet) -> None:
    circular = (await comes(place.sakura))[0]
    node = place.sakura.node.inside
    for name in _names(place.sakura)[:_CONFIRMED]:
        await node.association.circulars.acknowledge(site_of(place.sakura).user(name), circular.id)
    await resize(page, COMPUTER)
    await page.reload()
    confirmed = page.locator("tr", has_text=SAKURA).locator("td").nth(2)
    await expect(confirmed).to_have_text(str(_CONFIRMED))
    table = page.locator(".scroll table")
    await sheet.look(
        page, "届きぐあいの 表", Step("全部の 町内会に 届いたかが 出ます。", at=page.locator("[data-live] .box").first),
        Step("届いた・確認した・まだの 人数です。自分で 新しくなります。", at=table),
        since=page.get_by_role("heading", name="届きぐあい"),
    )
    await sheet.look(
        page, "お知らせの 画面の おわり", Step("「ファイル（CSV）に 出す」で、表を 保存します。",
                                 at=page.get_by_role("button", name="ファイル（CSV）に 出す")),
        Step("文を 直すときは「なおす」。", at=page.locator("summary", has_text="なおす")),
        Step("やめるときは「取り消す」。", at=page.locator("summary", has_text="取り消す")),
        since=page.get_by_role("button", name="ファイル（CSV）に 出す"),
    )


async def _talk(page: Page, place: Region, sheet: Sheet) -> None:
    ours = place.sakura.verbs.liaison
    case = await ours.ask(place.sakura.me, place.room, "3班の 街灯が つきません", "集会所の 前です。", by="会長")
    here = f"/desk/liaison/{quote(place.room)}"

    async def has_come() -> bool:
        return await state_of(place.city, place.room, case.id) is not None

    await until(has_come)
    await resize(page, TABLET)
    await page.goto(here)
    link_to = page.get_by_role("link", name="3班の 街灯が つきません")
    await sheet.look(
        page, "連絡室の 画面", Step("町内会からの 相談です。おして ひらきます。", at=link_to),
        since=page.get_by_role("heading", name="相談"),
    )
    await page.goto(f"{here}/{case.id}")
    answer, take = page.get_by_label("返事"), page.get_by_role("button", name="担当する")
    await answer.fill("電気の 会社に たのみました。あす なおります。")
    await sheet.look(
        page, "相談の 画面", Step("返事を 書いて、下の「送る」を おします。", at=answer),
        since=page.get_by_role("heading", level=1),
    )
    await sheet.look(
        page, "相談の 画面の おわり", Step("「担当する」で、見ている ことを 知らせます。", at=take),
        Step("おわったら「回答ずみに する」。", at=page.get_by_role("button", name="回答ずみに する")), since=take,
    )


async def _look_back(page: Page, sheet: Sheet) -> None:
    await resize(page, COMPUTER)
    await page.goto("/desk/asked")
    table = page.locator(".scroll table")
    await sheet.look(
        page, "町内会への 依頼の 一覧", Step("1年に 町内会へ 送ったもの 全部です。", at=table),
        Step("へらせるものが ないか、年度の おわりに 見なおします。"),
        since=page.locator("main p", has_text="年度："),
    )
    await page.goto("/desk/progress")
    await sheet.look(
        page, "町内会の ようす", Step("登録した 人、使っている 人、読んだ 割合です。", at=table),
        Step("手伝いが いる 町内会を 見つけて、連絡室で 声を かけます。"), since=table,
    )
