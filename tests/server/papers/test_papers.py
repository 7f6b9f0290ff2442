"""Printed papers: every household's card, block by block, and a circular on one sheet."""

from __future__ import annotations

import datetime
import io
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from server.association.members.papers import PAPER_LIMITS, Card, Papers
from server.foundation.clock import SystemClock
from server.foundation.errors import InvalidParam
from server.foundation.worker_process import WorkerProcess
from tests.real import require_real

NODE = "https://kairan.sakura.example/"
DAY = datetime.date(2026, 11, 23)


@pytest.fixture
async def papers() -> AsyncIterator[Papers]:
    worker = WorkerProcess(SystemClock(), "paper", PAPER_LIMITS)
    yield Papers(worker)
    await worker.close()


def _card(number: int, block: str) -> Card:
    return Card(block, f"世帯{number:03}", f"{NODE}i/token-of-household-{number:03}", f"ABCD-{number:04}", "3月末まで")


def _pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def _scanned(pdf: bytes, folder: Path) -> list[list[str]]:
    """What a camera reads on each page of the print."""
    require_real("pdftoppm")
    (folder / "paper.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "100", "-gray", "paper.pdf", "page"], cwd=folder, check=True)
    return [
        sorted(code.text for code in zxingcpp.read_barcodes(Image.open(file)))
        for file in sorted(folder.glob("page*.pgm"))
    ]


async def test_every_household_gets_a_card_and_every_code_can_be_scanned(papers: Papers, tmp_path: Path) -> None:
    cards = [_card(number, f"{number % 3 + 1}組") for number in range(30)]
    scanned = _scanned(await papers.invitation_cards_pdf(cards, "桜町町内会", NODE), tmp_path)
    assert sorted(url for page in scanned for url in page) == sorted(card.url for card in cards)
    assert [len(page) for page in scanned] == [8, 2] * 3


async def test_blocks_come_in_their_natural_order_each_on_pages_of_its_own(papers: Papers) -> None:
    cards = [_card(1, "10組"), _card(2, "２組"), _card(3, "1組"), _card(4, "10組"), _card(5, "役員")]
    pages = _pages(await papers.invitation_cards_pdf(cards, "桜町町内会", NODE))
    assert ["世帯003" in pages[0], "世帯002" in pages[1], "世帯001" in pages[2], "世帯005" in pages[3]] == [True] * 4
    assert pages[2].index("世帯001") < pages[2].index("世帯004")
    assert "1 / 2　全体 3 / 5" in pages[2]
    assert "3 / 4 ページ" in pages[2]


async def test_a_card_says_in_words_what_to_do(papers: Papers) -> None:
    (page,) = _pages(await papers.invitation_cards_pdf([_card(7, "1組")], "桜町町内会", NODE))
    for words in ("桜町町内会", "1組", "世帯007", "ABCD-0007", "招待番号", "写せないときは", "3月末まで"):
        assert words in page
    assert "kairan.sakura.example\n" in page


async def test_names_that_a_font_lacks_are_still_readable(papers: Papers) -> None:
    card = Card("1組", "𠮷田 Nguyễn 🧹", f"{NODE}i/1", "A")
    (page,) = _pages(await papers.invitation_cards_pdf([card], "町内会", NODE))
    assert "吉田" in page
    assert "Nguy" in page
    assert "〓" not in page


@pytest.mark.slow
async def test_three_hundred_households_in_one_go(papers: Papers) -> None:
    cards = [_card(number, f"{number // 20 + 1}組") for number in range(300)]
    pdf = await papers.invitation_cards_pdf(cards, "桜町町内会", NODE)
    assert len(_pages(pdf)) == 45
    assert len(pdf) < 2_000_000


@pytest.mark.parametrize(
    "cards", [[], [_card(1, "1組")] * 5001, [Card("1組", "a", "x" * 601, "A")], [Card("1組", "a", "", "A")]]
)
async def test_cards_that_cannot_be_printed_are_refused(papers: Papers, cards: list[Card]) -> None:
    with pytest.raises(InvalidParam):
        await papers.invitation_cards_pdf(cards, "町内会", NODE)


@pytest.mark.parametrize("body", ["", "集合は8時です。", "長い文章です。" * 200, "とても長い文章です。\n" * 1900])
async def test_a_circular_is_one_sheet_however_long_it_is(papers: Papers, tmp_path: Path, body: str) -> None:
    pdf = await papers.circular_sheet_pdf("秋の一斉清掃", body, "桜町町内会 会長", DAY, f"{NODE}c/1")
    (page,) = _pages(pdf)
    assert "秋の一斉清掃" in page
    assert "2026年（令和8年）11月23日" in page
    assert ("つづきは" in page) == (len(body) > 5000)
    assert _scanned(pdf, tmp_path) == [[f"{NODE}c/1"]]
    (box,) = (page.mediabox for page in PdfReader(io.BytesIO(pdf)).pages)
    assert [round(side / 72 * 25.4) for side in (box.width, box.height)] == [210, 297]


async def test_a_code_for_a_page_is_a_picture_in_the_page(papers: Papers) -> None:
    svg = await papers.qr_svg(f"{NODE}i/<&>")
    assert svg.startswith("<svg")
    assert "viewBox" in svg
    assert "<&>" not in svg
    with pytest.raises(InvalidParam):
        await papers.qr_svg("x" * 601)
