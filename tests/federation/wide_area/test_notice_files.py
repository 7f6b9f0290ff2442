"""Papers and photos that a city sends with a notice are read at the association, also while the city is away."""

from __future__ import annotations

from pathlib import Path

from federation.links.model import Category
from server.media import remote_store
from server.media.model import Mxc
from tests.federation.wide_area.desks import officer_at, resident_at, site_of
from tests.federation.wide_area.places import Place, comes, link, until, wide_area
from tests.web.browser import Browser, PageRead

PDF = b"%PDF-1.7\n" + b"0" * 400
DRAFT: dict[str, str | list[str]] = {
    "kind": "notice", "title": "防災訓練のご案内", "text": "", "area": ["17201"], "category": "disaster",
    "priority": "ordinary", "office": "危機管理課",
}
PAPER = [("upload", "案内.pdf", "application/pdf", PDF)]


async def writes(city: Browser, files: list[tuple[str, str, str, bytes]], **more: str | list[str]) -> PageRead:
    await city.get("/desk/notices/new")
    return await city.submit("/desk/notices/new", {**DRAFT, **more}, files=files)


async def bytes_at(browser: Browser, path: str) -> tuple[int, bytes, str]:
    async with browser.http.get(browser.url + path) as answer:
        return answer.status, await answer.read(), answer.headers.get("Content-Type", "")


async def is_copied(place: Place) -> bool:
    (circular,) = await place.circulars()
    (paper,) = circular.attachments
    return await remote_store.find(place.node.inside.core.database, Mxc.parse(paper.url)) is not None


async def test_a_paper_of_the_city_is_read_at_the_association_also_while_the_city_is_away(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        page = await writes(desk, PAPER, deadline="2099-03-31", people="everyone")
        assert "案内.pdf" in page.text
        assert "2099年" in page.text
        page = await desk.submit("/desk/notices/send")
        assert "おくりました" in page.text
        notice = page.url.split("?")[0]
        assert await bytes_at(desk, f"{notice}/0") == (200, PDF, "application/pdf")
        assert (await desk.get(f"{notice}/1")).status == 404
        (circular,) = await comes(sakura)
        assert circular.attachments[0].name == "案内.pdf"
        assert circular.deadline is not None
        await until(lambda: is_copied(sakura))
        await city.stop()
        inside = site_of(sakura)
        await inside.add("佐藤 花子", "1班")
        async with resident_at(inside, "佐藤 花子") as hanako:
            page = await hanako.get(f"/circulars/{circular.id}")
            assert f"/circulars/{circular.id}/files/0" in page.links
            assert await bytes_at(hanako, f"/circulars/{circular.id}/files/0") == (200, PDF, "application/pdf")
            assert (await hanako.get(f"{notice}/0")).status == 403
        assert await bytes_at(officer, f"{notice}/0") == (200, PDF, "application/pdf")
        assert "本物です" in (await officer.get(f"/origin/{circular.id}")).text
        await city.start()


async def test_an_officer_reads_the_paper_before_it_goes_round(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        await sakura.verbs.book.hold(sakura.me, [Category.DISASTER])
        await writes(desk, PAPER)
        page = await desk.submit("/desk/notices/send")
        notice = page.url.split("?")[0]

        async def is_held() -> bool:
            return (await officer.get(notice)).status == 200

        await until(is_held)
        assert await sakura.circulars() == []
        assert f"{notice}/0" in officer.page.links  # type: ignore[union-attr]
        assert await bytes_at(officer, f"{notice}/0") == (200, PDF, "application/pdf")


async def test_files_are_taken_away_and_added_by_a_correction(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura), officer_at(city) as desk,
    ):
        await link(city, sakura, "17201/sakura")
        await writes(desk, PAPER, text="ご案内です。")
        page = await desk.submit("/desk/notices/send")
        notice = page.url.split("?")[0]
        await comes(sakura)
        # What is ticked stays.
        await desk.get(notice)
        page = await desk.submit(f"{notice}/do", {"what": "correct", "reason": "日時"}, files=[
            ("upload", "地図.pdf", "application/pdf", PDF)])
        assert "なおしました" in page.text

        async def shows(*names: str) -> bool:
            (circular,) = await sakura.circulars()
            return [item.name for item in circular.attachments] == list(names)

        await until(lambda: shows("案内.pdf", "地図.pdf"))
        await desk.get(notice)
        await desk.submit(f"{notice}/do", {"what": "correct", "reason": "不要", "file": []}, files=[])
        await until(shows)


async def test_what_is_wrong_with_a_draft_is_said_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async with (
        wide_area(tmp_path, city="city", sakura="association") as (city, sakura),
        officer_at(city) as desk, officer_at(sakura) as officer,
    ):
        await link(city, sakura, "17201/sakura")
        page = await writes(desk, PAPER, deadline="2001-01-01")
        assert page.status == 400
        assert "これからの日時" in page.text
        fields = dict(page.form("/desk/notices/new").fields)
        assert (fields["title"], fields["office"]) == ("防災訓練のご案内", "危機管理課")
        kept = fields["file"]
        page = await desk.submit("/desk/notices/new", {"deadline": "2099-01-01"}, files=[])
        assert "これで 送りますか" in page.text
        fields = dict(page.form("/desk/notices/send").fields)
        assert fields["file"] == kept
        page = await desk.post("/desk/notices/new", {**fields, "step": "edit"})
        assert dict(page.form("/desk/notices/new").fields)["file"] == kept
        # Programs, and files of somebody else, are not taken.
        page = await writes(desk, [("upload", "a.exe", "application/octet-stream", b"MZ")])
        assert (page.status, "PDFと 写真だけ" in page.text) == (400, True)
        await desk.get("/desk/notices/new")
        media = city.node.inside.media.media
        other = await media.keep("@other:elsewhere", "application/pdf", "名簿.pdf", PDF)
        page = await desk.submit("/desk/notices/new", {**DRAFT, "file": other}, files=[])
        assert page.status == 403
        for text in ("mxc://elsewhere.example/x", "nonsense"):
            page = await desk.post("/desk/notices/send", {**fields, "file": text})
            assert page.status in (400, 404), text
        assert await city.verbs.sending.sent(city.me) == []
        # An association writes nothing to all.
        page = await officer.get("/desk/notices/new")
        assert (page.status, "一斉配信はできません" in page.text) == (403, True)
