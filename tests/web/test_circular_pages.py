"""Circulars on the pages: written by an officer, read and acknowledged by residents, followed by household."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from server.association.circulars.model import Attachment, Letter
from server.association.members.model import EVERYONE, Role
from tests.association.circulars.test_pdf_text import pdf
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

TEXT = "日曜日は 夏まつりです。\n10時に 公園へ 来てください。\nhttps://example.jp/matsuri?a=1&b=2 を見てください。"
Files = list[tuple[str, str, str, bytes]]
PDF = b"%PDF-1.4\n%%EOF\n"


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "#88aacc").save(out, "JPEG")
    return out.getvalue()


async def posted(chair: Browser, files: Files | None = None, **more: str | Sequence[str]) -> str:
    """Write, look at the preview, send; answers the circular's id."""
    await chair.get("/desk/circulars/new")
    fields = {"title": "夏まつりの お知らせ", "text": TEXT, "step": "preview", **more}
    page = await chair.submit("/desk/circulars/new", fields, files=files or [])
    assert "住民の画面では" in page.text, page.text
    page = await chair.submit("/desk/circulars/new", {"step": "send"})
    assert "おくりました" in page.text, page.text
    return page.url.split("?")[0].rpartition("/")[2]


async def test_a_circular_is_read_acknowledged_and_followed_by_household(chair: Browser, log_in: LogIn) -> None:
    circular = await posted(chair)
    page = await chair.get(f"/desk/circulars/{circular}")
    assert "0 / 5世帯" in page.text
    hanako = await log_in("佐藤 花子")
    page = await hanako.get("/")
    assert "夏まつりの お知らせ" in page.text
    assert "1 件 まだ" in page.text
    page = await hanako.get("/circulars")
    assert f"/circulars/{circular}" in page.links
    page = await hanako.get(f"/circulars/{circular}")
    assert "10時に 公園へ 来てください" in page.text
    assert "https://example.jp/matsuri?a=1&b=2" in page.links
    assert "開いた 1" in (await chair.get(f"/desk/circulars/{circular}")).text
    page = await hanako.submit(f"/circulars/{circular}/acknowledge")
    assert "了解しました" in page.text
    page = await chair.get(f"/desk/circulars/{circular}")
    assert "確認した 1" in page.text
    assert "1 / 5世帯" in page.text
    assert "1 件 まだ" not in (await hanako.get("/")).text


async def test_acknowledging_twice_is_once(chair: Browser, log_in: LogIn) -> None:
    circular = await posted(chair)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/circulars/{circular}")
    form = hanako.page
    for _ in range(2):
        hanako.page = form
        assert (await hanako.submit(f"/circulars/{circular}/acknowledge")).status == 200
    assert "確認した 1" in (await chair.get(f"/desk/circulars/{circular}")).text


async def test_what_was_written_stays_when_something_is_missing(chair: Browser) -> None:
    await chair.get("/desk/circulars/new")
    page = await chair.submit("/desk/circulars/new", {"title": "", "text": TEXT, "step": "preview"}, files=[])
    assert page.status == 400
    assert "題名" in page.text
    assert dict(page.form("/desk/circulars/new").fields)["text"].strip() == TEXT


async def test_from_the_preview_back_to_the_form_nothing_is_lost(here: Site, chair: Browser) -> None:
    await chair.get("/desk/circulars/new")
    fields = {
        "title": "清掃", "text": "\n 行の はじめ", "category": "garbage", "deadline": "2099-01-31", "step": "preview",
        "audience": "blocks", "block": here.block("2班"),
    }
    await chair.submit("/desk/circulars/new", fields, files=[("upload", "地図.pdf", "application/pdf", PDF)])
    page = await chair.submit("/desk/circulars/new", {"step": "edit"})
    found = dict(page.form("/desk/circulars/new").fields)
    assert found["title"] == "清掃"
    assert found["audience"] == "blocks"
    assert found["block"] == here.block("2班")
    assert found["deadline"] == "2099-01-31"
    assert found["file"].startswith("mxc://")


async def test_a_circular_that_is_sent_twice_goes_round_once(chair: Browser, log_in: LogIn) -> None:
    await chair.get("/desk/circulars/new")
    await chair.submit("/desk/circulars/new", {"title": "一度だけ", "text": "本文", "step": "preview"}, files=[])
    form = chair.page
    for _ in range(2):
        chair.page = form
        await chair.submit("/desk/circulars/new", {"step": "send"})
    hanako = await log_in("佐藤 花子")
    assert (await hanako.get("/circulars")).text.count("一度だけ") == 1


async def test_files_are_for_readers_only(here: Site, chair: Browser, stranger: Browser, log_in: LogIn) -> None:
    circular = await posted(
        chair, [("upload", "案内.pdf", "application/pdf", PDF), ("upload", "写真.jpg", "image/jpeg", photo())],
        audience="blocks", block=[here.block("1班")],
    )
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/circulars/{circular}")
    assert "案内.pdf" in page.text
    page = await hanako.get(f"/circulars/{circular}/files/0")
    assert page.headers["Content-Type"] == "application/pdf"
    assert page.headers["Content-Disposition"].startswith("inline")
    small = await hanako.get(f"/circulars/{circular}/files/1?size=small")
    assert small.headers["Content-Type"] == "image/jpeg"
    assert "sandbox" in small.headers["Content-Security-Policy"]
    assert (await hanako.get(f"/circulars/{circular}/files/2")).status == 404
    assert (await hanako.get(f"/circulars/{circular}/files/x")).status == 404
    misaki = await log_in("高橋 美咲")
    for path in (f"/circulars/{circular}", f"/circulars/{circular}/files/0", f"/circulars/{circular}/files/1"):
        assert (await misaki.get(path)).status == 404
        assert (await stranger.get(path)).url.startswith("/login")


@pytest.mark.parametrize(("kind", "data"), [
    ("text/html", b"<script>alert(1)</script>"), ("application/x-msdownload", b"MZ"),
    ("application/zip", b"PK\x03\x04"),
])  # fmt: skip
async def test_what_is_no_pdf_and_no_picture_is_refused(chair: Browser, kind: str, data: bytes) -> None:
    await chair.get("/desk/circulars/new")
    files = [("upload", "a", kind, data)]
    page = await chair.submit("/desk/circulars/new", {"title": "題", "step": "preview"}, files=files)
    assert page.status == 400
    assert "PDFと 写真だけ" in page.text


async def test_a_page_that_pretends_to_be_a_pdf_is_only_saved(chair: Browser) -> None:
    circular = await posted(chair, [("upload", "a.pdf", "application/pdf", b"<script>alert(1)</script>")])
    page = await chair.get(f"/circulars/{circular}/files/0")
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"].startswith("attachment")


async def test_a_drawing_that_could_run_is_only_saved(chair: Browser) -> None:
    circular = await posted(chair, [("upload", "a.svg", "image/svg+xml", b"<svg onload='alert(1)'/>")])
    page = await chair.get(f"/circulars/{circular}/files/0")
    assert page.headers["Content-Disposition"].startswith("attachment")


async def test_an_upload_over_the_limit_gets_a_japanese_sentence(chair: Browser) -> None:
    await chair.get("/desk/circulars/new")
    large = [("upload", "大.pdf", "application/pdf", b"%PDF-" + b"x" * (6 * 2**20))]
    page = await chair.submit("/desk/circulars/new", {"title": "題", "step": "preview"}, files=large)
    assert page.status == 413
    assert "大きすぎます" in page.text


async def test_the_file_of_somebody_else_cannot_be_attached(here: Site, chair: Browser) -> None:
    media = here.node.media.media
    theirs = await media.keep(here.user("佐藤 花子"), "image/png", "secret.png", b"\x89PNG")
    await chair.get("/desk/circulars/new")
    for url, status in ((theirs, 403), ("mxc://sakura.example/nothing", 404), ("https://evil.example/x", 400)):
        page = await chair.submit("/desk/circulars/new", {"title": "題", "file": url, "step": "preview"}, files=[])
        assert page.status == status, page.text
        await chair.get("/desk/circulars/new")


async def test_a_correction_reaches_readers_with_its_reason(chair: Browser, log_in: LogIn) -> None:
    circular = await posted(chair)
    await chair.get(f"/desk/circulars/{circular}/correct")
    changes = {"text": "11時に 来てください。", "reason": "時間が まちがっていました"}
    page = await chair.submit(f"/desk/circulars/{circular}/correct", changes, files=[])
    assert "なおしました" in page.text
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/circulars/{circular}")
    assert "11時に" in page.text
    assert "10時に" not in page.text
    assert "時間が まちがっていました" in page.text


async def test_a_withdrawn_circular_says_no_more_what_it_said(chair: Browser, log_in: LogIn) -> None:
    circular = await posted(chair, [("upload", "案内.pdf", "application/pdf", PDF)])
    await chair.get(f"/desk/circulars/{circular}")
    await chair.submit(f"/desk/circulars/{circular}/withdraw", {"reason": "まちがいでした"})
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/circulars/{circular}")
    assert "とりさげました" in page.text
    assert "公園" not in page.text
    assert (await hanako.get(f"/circulars/{circular}/files/0")).status == 404
    page = await chair.get(f"/desk/circulars/{circular}/correct")
    page = await chair.submit(f"/desk/circulars/{circular}/correct", {"title": "また", "text": "また"}, files=[])
    assert page.status == 400


async def test_paper_is_written_down_for_a_household(here: Site, chair: Browser) -> None:
    circular = await posted(chair)
    home = here.person("田中 実").household_id
    await chair.get(f"/desk/circulars/{circular}?only=not_yet")
    page = await chair.submit(f"/desk/circulars/{circular}/paper", {"household": home})
    assert "書きました" in page.text
    page = await chair.get(f"/desk/circulars/{circular}")
    assert "紙・電話で届けた 1" in page.text


async def test_a_circular_is_found_by_a_word(chair: Browser, log_in: LogIn) -> None:
    await posted(chair)
    await posted(chair, title="ごみの日", text="火曜日です")
    hanako = await log_in("佐藤 花子")
    page = await hanako.get("/circulars?q=火曜")
    assert "ごみの日" in page.text
    assert "夏まつりの お知らせ" not in page.text
    assert "見つかりません" in (await hanako.get("/circulars?q=%25")).text


async def test_the_sheet_of_paper_is_a_pdf(chair: Browser) -> None:
    circular = await posted(chair)
    await chair.get(f"/desk/circulars/{circular}")
    page = await chair.submit(f"/desk/circulars/{circular}/sheet")
    assert page.html.startswith("%PDF")


async def test_a_block_leader_writes_to_the_own_block_only(here: Site, log_in: LogIn) -> None:
    await here.node.association.editor.give_role(here.chief, here.person("佐藤 花子").id, Role.BLOCK_LEADER)
    leader = await log_in("佐藤 花子")
    page: PageRead = await leader.get("/desk/circulars/new")
    assert "全員" not in page.text
    assert "2班" not in page.text
    await posted(leader, audience="blocks", block=[here.block("1班")])
    await leader.get("/desk/circulars/new")
    for audience in ({"audience": "everyone"}, {"audience": "blocks", "block": here.block("2班")}):
        await leader.get("/desk/circulars/new")
        fields = {"title": "題", "text": "本文", "step": "preview", **audience}
        await leader.submit("/desk/circulars/new", fields, files=[])
        page = await leader.submit("/desk/circulars/new", {"step": "send"})
        assert page.status == 403, page.text


async def test_the_words_of_a_pdf_are_put_into_the_form_to_be_looked_through(chair: Browser) -> None:
    paper = ("upload", "おしらせ.pdf", "application/pdf", pdf(["清掃の お知らせ", "十一月三日の朝八時に集まります。"]))
    await chair.get("/desk/circulars/new")
    page = await chair.submit("/desk/circulars/new", {"title": "清掃", "step": "preview"}, files=[paper])
    assert "PDFから 文を 読みとりました" in page.text
    assert "十一月三日の朝八時に集まります。" in page.html
    page = await chair.submit("/desk/circulars/new", {"step": "preview"}, files=[])
    assert "住民の画面では" in page.text
    assert "おしらせ.pdf" in page.text
    assert "十一月三日の朝八時に集まります。" in page.text


@pytest.mark.parametrize("data", [PDF, pdf([])], ids=["broken", "a picture only"])
async def test_a_pdf_without_words_says_so_and_still_goes_round(chair: Browser, data: bytes) -> None:
    await chair.get("/desk/circulars/new")
    paper = ("upload", "写真.pdf", "application/pdf", data)
    page = await chair.submit("/desk/circulars/new", {"title": "清掃", "step": "read"}, files=[paper])
    assert "読みとれませんでした" in page.text or "読めません" in page.text
    page = await chair.submit("/desk/circulars/new", {"step": "preview"}, files=[])
    assert "写真.pdf" in page.text


async def test_what_is_important_says_so_everywhere(chair: Browser, log_in: LogIn) -> None:
    circular = await posted(chair, important="yes")
    hanako = await log_in("佐藤 花子")
    for path in ("/circulars", f"/circulars/{circular}"):
        assert "大切" in (await hanako.get(path)).text
    await chair.get(f"/desk/circulars/{circular}/correct")
    assert ("important", "yes") in chair.page.form(f"/desk/circulars/{circular}/correct").fields  # type: ignore[union-attr]


async def test_a_word_is_found_however_it_is_written(here: Site, log_in: LogIn) -> None:
    letter = Letter(title="清掃とゴミの日", text="１１月9日に します。", audience=EVERYONE, attachments=(
        Attachment("mxc://sakura.example/a", "チラシ.pdf", "application/pdf"),))
    await here.node.association.circulars.post(here.user(CHAIR), letter)
    hanako = await log_in("佐藤 花子")
    for word in ("ごみ", "ゴミ", "ｺﾞﾐ", "１１月", "11月", "清掃 ゴミ", "ちらし", "チラシ"):
        assert "清掃とゴミの日" in (await hanako.get(f"/circulars?q={word}")).text, word
    for other in ("断水", "sakura", "ごみ 断水"):
        assert "見つかりません" in (await hanako.get(f"/circulars?q={other}")).text
