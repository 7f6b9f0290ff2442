"""Officers of a city and of an association talk at their browsers; everything stands in a room of Matrix."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from federation.liaison.model import CASE, Case, CaseState
from server.rooms.send_event import Draft
from tests.federation.wide_area.desks import officer_at, resident_at, site_of
from tests.federation.wide_area.places import Place, link, until, wide_area
from tests.federation.wide_area.test_liaison import opens
from tests.web.browser import Browser

PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(60)


@dataclass
class Both:
    """Two linked places with a liaison room, and the officers of both."""

    city: Place
    sakura: Place
    desk: Browser
    officer: Browser
    room: str

    @property
    def here(self) -> str:
        return f"/desk/liaison/{quote(self.room)}"

    async def comes(self, browser: Browser, words: str, address: str = "") -> None:
        async def is_there() -> bool:
            return words in (await browser.get(address or self.here)).text

        await until(is_there)


@asynccontextmanager
async def both(folder: Path) -> AsyncIterator[Both]:
    async with (
        wide_area(folder, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        room = (await link(city, sakura, "17201/sakura")).room_id
        for place in (city, sakura):
            await opens(place, room)
        yield Both(city, sakura, desk, officer, room)


async def test_a_question_goes_from_desk_to_desk_and_its_state_is_seen_on_both(tmp_path: Path) -> None:
    async with both(tmp_path) as here:
        page = await here.officer.get("/desk/liaison")
        assert "金沢市" in page.text
        await here.officer.get(f"{here.here}/new")
        page = await here.officer.submit(page_form(here.officer, "/ask"), {
            "title": "3班の街灯", "text": "切れています。<b>至急</b>"})
        assert "おくりました" in page.text
        assert "会長" in page.text
        assert "<b>至急</b>" not in page.html
        # The message comes first; that it is a question, with the event behind it.
        await here.comes(here.desk, "まだ 1", "/desk/liaison")
        page = await here.desk.get(next(found for found in (await here.desk.get(here.here)).links if is_case(found)))
        assert "桜町町内会・" in page.text
        address = page.url
        page = await here.desk.submit(page_form(here.desk, address), {
            "text": "明日うかがいます。", "by": "道路課", "what": "taken"})
        assert "担当しています" in page.text
        assert "道路課（金沢市）" in page.text.replace(" ", "")
        await here.comes(here.officer, "明日うかがいます。", address)
        await here.comes(here.officer, "担当しています", address)
        page = await here.officer.get(f"{address}/lines")
        assert "道路課（金沢市）" in page.text.replace(" ", "")
        # Only what a case may become is offered, and nothing else is taken.
        await here.officer.get(address)
        page = await here.officer.submit(page_form(here.officer, address), {"what": "nonsense", "text": ""})
        assert page.status == 400
        await here.officer.get(address)
        page = await here.officer.submit(page_form(here.officer, address), {"what": "answered", "text": ""})
        assert "回答しました" in page.text
        await here.officer.get(address)
        page = await here.officer.submit(page_form(here.officer, address), {"what": "taken", "text": ""})
        assert "できません" in page.text


async def test_officers_chat_show_photos_and_say_who_is_on_duty(tmp_path: Path) -> None:
    async with both(tmp_path) as here:
        page = await here.desk.get(f"{here.here}/lines")
        assert (page.status, "<html" in page.html, page.text.count("まだ ありません")) == (200, False, 2)
        await here.desk.get(here.here)
        await here.desk.submit(page_form(here.desk, "/say"), {"text": "台風が 近づいています。", "by": "危機管理課"})
        await here.comes(here.officer, "台風が 近づいています。")
        assert "金沢市 危機管理課" in here.officer.page.text  # type: ignore[union-attr]
        page = await here.officer.submit(
            page_form(here.officer, "/say"), {"text": "", "by": "会長"},
            files=[("upload", "土のう.png", "image/png", PHOTO)])
        assert "土のう.png" in page.text
        await here.comes(here.desk, "土のう.png")
        link_to = next(found for found in here.desk.page.links if "/file/" in found)  # type: ignore[union-attr]
        async with here.desk.http.get(here.desk.url + link_to) as answer:
            assert (answer.status, await answer.read()) == (200, PHOTO)
        assert (await here.desk.get(f"{here.here}/file/nothing")).status == 404
        await here.officer.get(here.here)
        page = await here.officer.submit(page_form(here.officer, "/say"), {"text": "", "by": "会長"})
        assert page.status == 400
        await here.officer.get(here.here)
        page = await here.officer.submit(page_form(here.officer, "/duty"), {"who": "副会長", "day": "2099-01-01"})
        assert "副会長" in page.text
        await here.comes(here.desk, "副会長")
        await here.officer.get(here.here)
        page = await here.officer.submit(page_form(here.officer, "/duty"), {"who": "副会長", "day": "2001-01-01"})
        assert page.status == 400
        # The same button twice says it once.
        await here.desk.get(here.here)
        form = page_form(here.desk, "/say")
        fields = dict(here.desk.page.form(form).fields)  # type: ignore[union-attr]
        for _ in range(2):
            await here.desk.post(form, {**fields, "text": "一度だけ"})
        assert (await here.desk.get(here.here)).text.count("一度だけ") == 1


async def test_an_officer_enters_with_an_own_account_and_is_heard_by_name(tmp_path: Path) -> None:
    async with both(tmp_path) as here:
        await here.officer.get(here.here)
        page = await here.officer.submit(page_form(here.officer, "/enter"))
        assert page.status == 200, page.text
        chair = site_of(here.sakura).user("町田 会長")
        room = (await here.sakura.verbs.liaison.rooms.room_of(here.sakura.me, here.room))[1]
        forged = {"jp.kairan.liaison": {"by": "市長"}, "msgtype": "m.text", "body": "アプリからです。"}
        await here.sakura.node.inside.services.sender.send(Draft(room.room_id, chair, "m.room.message", forged))
        await here.comes(here.desk, "アプリからです。")
        assert "桜町町内会 町田 会長" in here.desk.page.text  # type: ignore[union-attr]
        assert "市長" not in here.desk.page.text  # type: ignore[union-attr]
        # A file of somebody who is not in the room is not fetched.
        far = {"msgtype": "m.file", "body": "x.pdf", "url": "mxc://elsewhere.example/x"}
        event = await here.sakura.node.inside.services.sender.send(Draft(room.room_id, chair, "m.room.message", far))
        await here.comes(here.desk, "x.pdf")
        assert (await here.desk.get(f"{here.here}/file/{quote(event.event_id)}")).status == 404
        # Who says that the city has answered, is shown as who they are.
        case = Case(id="forged", title="うその回答", state=CaseState.ANSWERED, root="$x", opened_by=here.city.server,
                    opened_ts=1, changed_by=here.city.server, changed_ts=1, by="")
        await here.sakura.node.inside.services.sender.send(
            Draft(room.room_id, here.sakura.me, CASE, case.as_content(), state_key=case.id))
        await here.comes(here.desk, "うその回答")
        (found,) = await here.city.verbs.liaison.cases(here.city.me, here.room)
        assert found.changed_by == here.sakura.server
        page = await here.desk.get(f"{here.here}/forged")
        assert page.status == 404, page.text


async def test_residents_find_no_room_and_an_ended_link_is_only_read(tmp_path: Path) -> None:
    async with both(tmp_path) as here:
        inside = site_of(here.sakura)
        await inside.add("佐藤 花子", "1班")
        async with resident_at(inside, "佐藤 花子") as hanako:
            for address in ("/desk/liaison", here.here, f"{here.here}/lines", f"{here.here}/new", f"{here.here}/x"):
                assert (await hanako.get(address)).status == 403, address
            page = await hanako.post(f"{here.here}/say", {"text": "やあ"})
            assert page.status == 403
        assert (await here.officer.get("/desk/liaison/!nothing")).status == 404
        await here.officer.get(here.here)
        await here.officer.submit(page_form(here.officer, "/say"), {"text": "さようなら", "by": ""})
        fields = dict((await here.officer.get(here.here)).form(page_form(here.officer, "/say")).fields)
        await here.sakura.verbs.halves.end(here.sakura.me, here.room)
        page = await here.officer.get(here.here)
        assert "さようなら" in page.text
        assert "読むことだけ できます" in page.text
        page = await here.officer.post(f"{here.here}/say", {**fields, "text": "まだですか"})
        assert (page.status, "終わっています" in page.text) == (403, True)


def page_form(browser: Browser, ending: str) -> str:
    """The form of the page that is open whose address ends so."""
    assert browser.page is not None
    return next(form.action for form in browser.page.read.forms if form.action.endswith(ending))


def is_case(address: str) -> bool:
    return address.startswith("/desk/liaison/") and address.count("/") == 4 and not address.endswith("/new")
