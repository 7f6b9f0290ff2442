"""The city's desk and the officers of an association at their browsers."""

from __future__ import annotations

import re
from pathlib import Path

from federation.links.model import Category
from tests.federation.wide_area.desks import officer_at, resident_at, site_of
from tests.federation.wide_area.places import comes, is_in_force, link, until, wide_area
from tests.web.browser import Browser, PageRead

DRAFT: dict[str, str | list[str]] = {
    "kind": "notice", "title": "断水のお知らせ", "text": "あした 断水します。", "area": ["17201"],
    "category": "administration", "priority": "ordinary", "office": "水道課",
}


async def sends(city: Browser, **more: str | list[str]) -> PageRead:
    """Write, look once more, send; answers the page of the notice."""
    await city.get("/desk/notices/new")
    sure = await city.submit("/desk/notices/new", {**DRAFT, **more})
    assert sure.status == 200, sure.text
    assert "これで 送りますか" in sure.text
    return await city.submit("/desk/notices/send")


async def test_a_city_invites_and_an_association_looks_before_it_agrees(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await desk.get("/desk/links")
        page = await desk.submit("/desk/links/invite", {
            "kind": "association", "name": "桜町町内会", "area": "17201/sakura", "area_name": "桜町"})
        code = re.search(r"kairan-link:\S+?(?=<|\s)", page.html)
        assert code is not None, page.text
        assert "<svg" in page.html
        await officer.get("/desk/links")
        page = await officer.submit("/desk/links/look", {"code": code[0]})
        assert "金沢市" in page.text
        assert "桜町あての" in page.text
        assert sakura.verbs.book.links() == []
        page = await officer.submit("/desk/links/agree")
        assert "つなぎました" in page.text
        (made,) = sakura.verbs.book.links()
        await until(lambda: is_in_force(city, made.room_id))
        assert "使われました" in (await desk.get("/desk/links")).text
        # The same code again: refused in plain words, and nothing more is linked.
        await officer.submit("/desk/links/look", {"code": code[0]})
        page = await officer.submit("/desk/links/agree")
        assert page.status == 409, page.text
        assert "つながって" in page.text, page.text
        assert len(sakura.verbs.book.links()) == 1
        await officer.get("/desk/links")
        page = await officer.submit("/desk/links/end", {"reason": "ためしでした"})
        assert "おわりにしました" in page.text
        assert not sakura.verbs.book.links()[0].is_in_force


async def test_a_notice_is_written_looked_at_and_sent_and_its_figures_are_seen(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        page = await sends(desk)
        assert "おくりました" in page.text
        notice = page.url.split("?")[0]
        (circular,) = await comes(sakura)
        assert "本物です" in (await officer.get(f"/origin/{circular.id}")).text

        async def is_told() -> bool:
            return "回覧しました" in (await desk.get(notice)).text

        await until(is_told)
        page = await desk.submit(f"{notice}/file")
        assert "桜町町内会" in page.html
        assert "断水のお知らせ" in (await officer.get("/desk/notices")).text
        await desk.get(notice)
        page = await desk.submit(f"{notice}/do", {"what": "cancel", "reason": "工事が なくなりました"})
        assert "とりさげました" in page.text


async def test_what_is_held_waits_for_an_officer(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        await sakura.verbs.book.hold(sakura.me, [Category.ADMINISTRATION])
        await sends(desk)

        async def is_waiting() -> bool:
            return "役員の確認待ち" in (await officer.get("/desk/notices")).text

        await until(is_waiting)
        assert await sakura.circulars() == []
        listed = await officer.get("/desk/notices")
        address = next(found for found in listed.links if found.startswith("/desk/notices/"))
        await officer.get(address)
        page = await officer.submit(f"{address}/do", {"what": "approve", "note": "給水は 集会所で。"})
        assert "回覧しました" in page.text
        (circular,) = await comes(sakura)
        assert "給水は 集会所で。" in circular.text


async def test_residents_find_no_desk_and_learn_what_is_authentic(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk,
    ):
        await link(city, sakura, "17201/sakura")
        inside = site_of(sakura)
        await inside.add("佐藤 花子", "1班")
        await sends(desk)
        (circular,) = await comes(sakura)
        async with resident_at(inside, "佐藤 花子") as hanako:
            for address in ("/desk/notices", "/desk/notices/new", "/desk/links", "/desk/links/refusals"):
                assert (await hanako.get(address)).status == 403, address
            assert f"/origin/{circular.id}" in (await hanako.get(f"/circulars/{circular.id}")).links
            assert "本物です" in (await hanako.get(f"/origin/{circular.id}")).text
            assert (await hanako.get("/origin/nothing")).status == 404


async def test_a_draft_that_reaches_nobody_cannot_be_sent(tmp_path: Path) -> None:
    async with wide_area(tmp_path, city="city") as (city,), officer_at(city) as desk:
        await desk.get("/desk/notices/new")
        page = await desk.submit("/desk/notices/new", DRAFT)
        assert "つながっている 相手が ありません" in page.text
        page = await desk.submit("/desk/notices/send")
        assert page.status == 404
        assert await city.verbs.sending.sent(city.me) == []
        await desk.get("/desk/notices/new")
        page = await desk.submit("/desk/notices/new", {**DRAFT, "category": "nonsense"})
        assert (page.status, "分野を えらんでください" in page.text) == (400, True)
