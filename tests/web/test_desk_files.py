"""Lists of the desk as files: all of them by POST, written down, without a formula, for those who may see the pages."""

from __future__ import annotations

import csv
import io

import pytest
from pypdf import PdfReader

from server.association.circulars.model import Letter
from server.association.inquiries.model import Inquiry
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Channel, Role
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

FORMULA = '=HYPERLINK("http://x")'


def cells(page: PageRead) -> list[list[str]]:
    assert page.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(page.html.lstrip("\ufeff"))))


async def circular(here: Site, title: str = "断水") -> str:
    letter = Letter(title=title, text="8月9日に します。", audience=EVERYONE)
    return (await here.node.association.circulars.post(here.user(CHAIR), letter)).id


async def inquiry(here: Site, **more: str) -> Inquiry:
    verbs = here.node.association.inquiries.verbs
    return await verbs.enter(here.user(CHAIR), "街灯が きれています", CameBy.PHONE, **more)


async def test_who_has_read_a_circular_is_a_file(here: Site, chair: Browser, log_in: LogIn) -> None:
    which = await circular(here)
    await (await log_in("佐藤 花子")).get(f"/circulars/{which}")
    await chair.get(f"/desk/circulars/{which}")
    lines = cells(await chair.submit(f"/desk/circulars/{which}/file"))
    assert lines[0] == ["班", "世帯", "世帯として", "名前", "この人"]
    assert ["1班", "佐藤 花子", "開いた", "佐藤 花子", "開いた"] in lines
    assert len(lines) == 6


async def test_answers_to_a_check_and_questions_are_files(here: Site, chair: Browser, log_in: LogIn) -> None:
    check = await here.node.association.safety_checks.start(here.user(CHAIR), "地震", EVERYONE, drill=True)
    hanako = await log_in("佐藤 花子")
    await hanako.get("/safety")
    await hanako.submit(f"/safety/{check.id}", {"status": "safe", "comment": FORMULA})
    await chair.get(f"/desk/safety/{check.id}/people")
    line = next(line for line in cells(await chair.submit(f"/desk/safety/{check.id}/file")) if line[2] == "佐藤 花子")
    assert line[3] == "無事"
    assert line[-1] == f"'{FORMULA}"
    await inquiry(here, person_id=here.person("鈴木 一郎").id)
    await inquiry(here, asker=FORMULA)
    await chair.get("/desk/inquiries")
    lines = cells(await chair.submit("/desk/inquiries/file"))
    assert {line[1] for line in lines[1:]} == {"鈴木 一郎", f"'{FORMULA}"}


async def test_that_names_were_taken_along_is_written_down(here: Site, chair: Browser, log_in: LogIn) -> None:
    which = await circular(here)
    await chair.get(f"/desk/circulars/{which}")
    await chair.submit(f"/desk/circulars/{which}/file")
    assert "回覧を読んだ人の 一覧（ファイル）" in (await (await log_in("佐藤 花子")).get("/my/looks")).text


@pytest.mark.parametrize("who", ["a resident", "a helper"])
async def test_nobody_else_gets_them(here: Site, log_in: LogIn, who: str) -> None:
    """Helpers register people; what people say is nothing to them."""
    which, name = await circular(here), "佐藤 花子"
    check = await here.node.association.safety_checks.start(here.user(CHAIR), "地震", EVERYONE, drill=True)
    if who == "a helper":
        await here.node.association.editor.give_role(here.chief, here.person(name).id, Role.HELPER)
    browser = await log_in(name)
    page = await browser.get("/my")
    proof = dict(page.form("/my/look").fields)["form_proof"]
    for path in (f"/desk/circulars/{which}/file", f"/desk/circulars/{which}/sheets", f"/desk/safety/{check.id}/file",
                 "/desk/inquiries/file"):
        assert (await browser.post(path, {"form_proof": proof})).status in (403, 404), path


async def test_paper_households_get_a_sheet_each_in_walking_order(here: Site, chair: Browser) -> None:
    editor = here.node.association.editor
    for name in ("高橋 美咲", "鈴木 一郎", "町田 会長"):
        await editor.set_channel(here.chief, here.person(name).household_id, Channel.PAPER)
    for name in ("佐藤 花子", "田中 実"):
        await editor.set_channel(here.chief, here.person(name).household_id, Channel.DIGITAL)
    which = await circular(here, "断水の お知らせ")
    await chair.get(f"/desk/circulars/{which}")
    form = chair.page.form(f"/desk/circulars/{which}/sheets")  # type: ignore[union-attr]
    async with chair.http.post(chair.url + form.action, data=form.fields) as answer:
        assert answer.status == 200
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(await answer.read())).pages]
    assert "3軒" in pages[0]
    names = ("町田 会長", "鈴木 一郎", "高橋 美咲")
    assert [pages[0].index(name) for name in names] == sorted(pages[0].index(name) for name in names)
    assert all(f"{name} 様" in page for name, page in zip(names, pages[1:], strict=True))
    assert all("断水の お知らせ" in page for page in pages)


async def test_where_nobody_gets_paper_nothing_is_printed(here: Site, chair: Browser) -> None:
    for person in here.node.association.members.persons():
        await here.node.association.editor.set_channel(here.chief, person.household_id, Channel.DIGITAL)
    which = await circular(here)
    await chair.get(f"/desk/circulars/{which}")
    page = await chair.submit(f"/desk/circulars/{which}/sheets")
    assert page.status == 400
    assert "紙の世帯は、ありません" in page.text
