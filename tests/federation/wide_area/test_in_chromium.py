"""The city's desk and the liaison room in a real browser: narrow, in large letters, without scripts, axe, and live."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page

from federation.broadcasts.model import Kind, Priority
from federation.broadcasts.public import Openness
from federation.liaison.model import CaseState
from server.association.circulars.model import Attachment
from server.association.members.model import Role
from tests.federation.wide_area.desks import OFFICER, site_of
from tests.federation.wide_area.places import Place, comes, link, message, until, wide_area
from tests.federation.wide_area.test_liaison import opens
from tests.real import require_real
from tests.web.real_browser import PHONE, chromium, window
from tests.web.site import PASSWORD

pytestmark = pytest.mark.slow

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A folder for pictures, for people to look at; then all pages are taken, and not only one of a kind.
_PICTURES = os.environ.get("KAIRAN_PICTURES", "")


@asynccontextmanager
async def desk_of(place: Place, browser: Browser, *, script: bool = True, dark: bool = False) -> AsyncIterator[Page]:
    """The chair of a place in a window of a telephone."""
    inside = site_of(place)
    user = await inside.set_password(OFFICER)
    async with window(browser, place.node.url, PHONE, script=script, dark=dark) as page:
        await page.goto("/login")
        await page.fill("#f-user", user)
        await page.fill("#f-password", PASSWORD)
        await page.click("form[action='/login'] button")
        yield page


async def a_day_at_the_desks(city: Place, sakura: Place, ume: Place) -> dict[str, list[str]]:
    """Something of everything; answers the addresses of pages of the city and of the association."""
    for place in (city, sakura):
        await site_of(place).add(OFFICER, "1班")
        person = site_of(place).person(OFFICER)
        await place.node.inside.association.editor.give_role(place.me, person.id, Role.CHAIR)
    room = (await link(city, sakura, "17201/sakura")).room_id
    await link(city, ume, "17201/ume")
    for place in (city, sakura):
        await opens(place, room)
    await sakura.verbs.progress.telling.choose(sakura.me, [city.server])
    await ume.stop()
    paper = Attachment(
        await city.node.inside.media.media.keep(city.me, "application/pdf", "案内.pdf", b"%PDF-1.7\n"), "案内.pdf",
        "application/pdf", 9)
    survey = await city.verbs.sending.send(city.me, message(
        kind=Kind.SURVEY, title="中央公園の 使いかたについての アンケート", choices=("ひろくする", "いまのまま"),
        attachments=(paper,), office="公園緑地課"))
    await comes(sakura)
    alert = await city.verbs.sending.send(
        city.me, message(title="川の 水が ふえています", priority=Priority.ALERT, office="危機管理課"), Openness.YES)
    wrong = await city.verbs.sending.send(city.me, message(title="断水の お知らせ"), Openness.YES)
    later = message(title="川の 水が ふえています", priority=Priority.ALERT, office="危機管理課")
    await city.verbs.sending.correct(city.me, alert.key, later, "時間を なおしました")
    await city.verbs.sending.cancel(city.me, wrong.key, "工事が なくなりました")
    case = await sakura.verbs.liaison.ask(
        sakura.me, room, "3班の 街灯が 切れています", "集会所の前です。", by="会長")
    await sakura.verbs.liaison.ask(sakura.me, room, "避難所の かぎ", "だれが もっていますか。", by="会長")
    await sakura.verbs.liaison.reply(sakura.me, room, case.id, "写真を 送ります。", by="会長")
    await sakura.verbs.liaison.move(sakura.me, room, case.id, CaseState.TAKEN, by="副会長")
    await sakura.verbs.talk.say(sakura.me, room, "よろしく おねがいします。 https://city.example/koen", by="会長")
    await sakura.verbs.liaison.set_duty(sakura.me, room, "副会長（夜は 090-0000-0000）", until_ts=9_000_000_000_000)
    await until(lambda: is_on_duty(city, sakura.server, room))
    here = f"/desk/liaison/{quote(room)}"
    notice = f"/desk/notices/{survey.key}"
    if not _PICTURES:
        return {"city": [here, notice, "/desk/notices/new", "/desk/asked", "/feeds"],
                "sakura": [f"{here}/{case.id}", "/desk/progress"]}
    both = ["/desk/links", "/desk/notices", "/desk/liaison", here, f"{here}/new", f"{here}/{case.id}",
            "/desk/progress", notice]
    own = ["/desk/notices/new", "/desk/asked", "/feeds", f"/desk/notices/{alert.key}"]
    return {"city": [*both, *own], "sakura": both}


async def is_on_duty(place: Place, server: str, room: str) -> bool:
    return server in await place.verbs.liaison.on_duty(place.me, room)


async def test_pages_fit_a_telephone_in_large_letters_and_axe_objects_to_nothing(tmp_path: Path) -> None:
    axe = require_real("axe-core").read_text("utf-8")
    async with (
        wide_area(tmp_path, city="city", sakura="association", ume="association") as (city, sakura, ume),
        chromium() as browser,
    ):
        pages = await a_day_at_the_desks(city, sakura, ume)
        found: list[str] = []
        for place, name, dark in ((city, "city", False), (sakura, "sakura", True)):
            async with desk_of(place, browser, dark=dark) as page:
                for path in pages[name]:
                    found += await looked_at(page, path, axe, f"{name}-{path}")
        await ume.start()
        assert found == []


async def looked_at(page: Page, path: str, axe: str, name: str) -> list[str]:
    """Go there: what axe objects to, and whether anything is too wide in large letters."""
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    for details in await page.query_selector_all("details"):
        await details.evaluate("item => item.open = true")
    await page.evaluate(axe)
    told = await page.evaluate("async (tags) => (await axe.run({runOnly: tags})).violations", _RULES)
    found = [f"{path}: {item['id']}: {node['html'][:200]}" for item in told for node in item["nodes"]]
    await _picture(page, name)
    # WCAG 1.4.4: letters of twice the size, and nothing is cut off.
    await page.evaluate("document.documentElement.style.fontSize = '250%'")
    width = await page.evaluate("document.documentElement.scrollWidth")
    await _picture(page, f"{name}-200")
    return found if width <= PHONE["width"] else [*found, f"{path}: {width} px wide in large letters"]


async def _picture(page: Page, name: str) -> None:
    if _PICTURES:
        file = Path(_PICTURES) / f"{name.replace('/', '_').replace('!', '').replace('%', '')}.png"
        await page.screenshot(path=str(file), full_page=True)


async def test_the_room_fills_in_by_itself_and_is_used_without_scripts(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura), chromium() as browser,
    ):
        for place in (city, sakura):
            person = await site_of(place).add(OFFICER, "1班")
            await place.node.inside.association.editor.give_role(place.me, person.id, Role.CHAIR)
        room = (await link(city, sakura, "17201/sakura")).room_id
        for place in (city, sakura):
            await opens(place, room)
        here = f"/desk/liaison/{quote(room)}"
        sent = await city.verbs.sending.send(city.me, message())
        async with desk_of(city, browser) as live, desk_of(sakura, browser, script=False) as plain:
            await live.goto(here)
            await plain.goto(here)
            await plain.fill("#f-text", "橋の 水が ふえています。")
            await plain.click("form[action$='/say'] button")
            await plain.wait_for_selector("text=橋の 水が ふえています。")
            # What is being written stays while news comes in.
            await live.fill("#f-text", "書きかけ")
            await live.wait_for_selector("text=橋の 水が ふえています。", timeout=30_000)
            assert await live.input_value("#f-text") == "書きかけ"
            await live.goto(f"/desk/notices/{sent.key}")
            await live.wait_for_selector("text=全部に 届きました。", timeout=30_000)
