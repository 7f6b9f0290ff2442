"""Words of PDFs: taken out by a process of their own, as flowing text; what is no PDF says so."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from pypdf import PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfgen.canvas import Canvas

from server.association.circulars.pdf_reading import PDF_LIMITS, PdfReading
from server.association.circulars.pdf_text import flowing
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.foundation.worker_process import WorkerProcess

LINES = [
    "夏まつりの お知らせ", "", "八月九日の日曜日に、中央公園で夏まつりを行います。雨の", "ときは集会所で行います。",
    "・うちわ", "・水とう",
]


def pdf(lines: list[str] = LINES, *, key: str = "") -> bytes:
    """A page with these lines, as an office program would set them; with ``key`` it is locked."""
    registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    out = io.BytesIO()
    canvas = Canvas(out, A4)
    canvas.setFont("HeiseiKakuGo-W5", 14)
    for number, line in enumerate(lines):
        canvas.drawString(60, 780 - 22 * number, line)
    canvas.save()
    if not key:
        return out.getvalue()
    writer, locked = PdfWriter(clone_from=io.BytesIO(out.getvalue())), io.BytesIO()
    writer.encrypt(key, algorithm="RC4-128")
    writer.write(locked)
    return locked.getvalue()


@pytest.fixture
async def reading() -> AsyncIterator[PdfReading]:
    worker = WorkerProcess(SystemClock(), "pdf", PDF_LIMITS)
    yield PdfReading(worker)
    await worker.close()


async def test_a_pdf_says_its_words_in_paragraphs(reading: PdfReading) -> None:
    assert await reading.text_of(pdf()) == (
        "夏まつりの お知らせ\n八月九日の日曜日に、中央公園で夏まつりを行います。"
        "雨のときは集会所で行います。\n・うちわ\n・水とう"
    )


async def test_a_picture_of_paper_says_nothing(reading: PdfReading) -> None:
    assert await reading.text_of(pdf([])) == ""


async def test_what_is_broken_or_locked_is_refused(reading: PdfReading) -> None:
    for data in (b"", b"%PDF-1.4\n%%EOF\n", b"%PDF-1.7\n" + b"\xff" * 5000, pdf(key="secret")):
        with pytest.raises(Refused):
            await reading.text_of(data)
    assert "夏まつり" in await reading.text_of(pdf())


@pytest.mark.parametrize(("page", "text"), [
    ("一二三四五六七八\n九十。\n次の行です", "一二三四五六七八九十。\n次の行です"),
    ("a long line of words\nand more", "a long line of words and more"),
    ("項目\n・ひとつめの長い長い行です\n・ふたつめ", "項目\n・ひとつめの長い長い行です\n・ふたつめ"),
    ("見出し\n\n\n\n文です", "見出し\n\n文です"),
    ("回 覧 板", "回覧板"), ("", ""),
])  # fmt: skip
def test_full_lines_go_on_and_lists_stay_lists(page: str, text: str) -> None:
    assert flowing(page) == text
