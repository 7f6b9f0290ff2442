"""Runs in the worker process only: invitation cards on A4, and QR codes.

Eight cards a page, two by four. A page holds cards of one block only, so that the pages can be handed to the block's
leader as they come out of the printer.
"""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from typing import Any, BinaryIO, Final

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from server.association.members.paper_fonts import Typeface, typeface

_COLUMNS: Final = 2
_ROWS: Final = 4
_PER_PAGE: Final = _COLUMNS * _ROWS
_HEAD: Final = 13 * mm
_FOOT: Final = 4 * mm
_WIDTH: Final = A4[0] / _COLUMNS
_HEIGHT: Final = (A4[1] - _HEAD - _FOOT) / _ROWS
_INSET: Final = 8 * mm  # printers leave about 5 mm at the edges white
_QR: Final = 33 * mm
_INSTRUCTION: Final = (
    "① スマートフォンのカメラで、上の四角いもようを写します。",
    "② 写せないときは、下のページに招待番号を入れます。",
    "　　{address}",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """One card, where it stands in its block and in the whole, and on its page (0 to 7)."""

    card: dict[str, str]
    in_block: str
    in_all: str
    slot: int


def cards_pdf(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """``cards`` (as ``papers.Card``) of ``association`` with the address ``node_url``: the PDF and its ``pages``."""
    pages = _pages(values["cards"])
    out = io.BytesIO()
    pen = Pen.on_a4(out, f"{values['association']} 招待カード")
    canvas = pen.canvas
    for number, page in enumerate(pages, start=1):
        pen.text(_INSET, A4[1] - 9 * mm, 9, f"{values['association']} 招待カード　{page[0].card['block']}")
        pen.text_right(A4[0] - _INSET, A4[1] - 9 * mm, 9, f"{number} / {len(pages)} ページ")
        for place in page:
            _draw_card(pen, place, values["association"], _shown_address(values["node_url"]))
        _draw_cut_lines(canvas)
        canvas.showPage()
    canvas.save()
    return {"pages": len(pages)}, out.getvalue()


def qr_svg(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """The QR code of ``text`` as an ``<svg>`` element, dark on white whatever the page's colours are."""
    code = segno.make(values["text"], error="m", micro=False)
    return {}, code.svg_inline(border=4, omitsize=True, dark="#000", light="#fff").encode()


def draw_qr(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """The QR code of ``text`` with its white margin of four modules, lower left corner at ``x``, ``y`` (points)."""
    rows = segno.make(text, error="m", micro=False).matrix
    module = side / (len(rows) + 8)
    path = canvas.beginPath()
    for row_number, row in enumerate(rows):
        bottom = y + side - (row_number + 5) * module
        for start, length in _dark_runs(row):
            # A hair's breadth of overlap: else a white seam shows between two rows on some printers.
            path.rect(x + (start + 4) * module, bottom, length * module, module * 1.02)
    canvas.drawPath(path, stroke=0, fill=1)


def _dark_runs(row: bytearray) -> list[tuple[int, int]]:
    return [(match.start(), len(match.group())) for match in re.finditer(rb"\x01+", bytes(row))]


class Pen:
    """Draws text in the one typeface, as large as fits."""

    def __init__(self, canvas: Canvas, face: Typeface) -> None:
        self.canvas = canvas
        self.face = face

    @classmethod
    def on_a4(cls, out: BinaryIO, title: str) -> Pen:
        """A new document."""
        face = typeface()
        canvas = Canvas(out, pagesize=A4, pageCompression=1, initialFontName=face.name)
        canvas.setTitle(title)
        return cls(canvas, face)

    def text(self, x: float, y: float, size: float, text: str, room: float | None = None) -> float:
        """From ``x`` to the right; smaller where it would be wider than ``room``, down to a half, then cut.

        All in points; answers the width.
        """
        shown = self.face.drawable(text)
        if room is not None:
            size, shown = self._fitted(shown, size, room)
        self.canvas.setFont(self.face.name, size)
        self.canvas.drawString(x, y, shown)
        return self.face.width(shown, size)

    def text_right(self, x: float, y: float, size: float, text: str) -> None:
        """Ending at ``x``."""
        self.canvas.setFont(self.face.name, size)
        self.canvas.drawRightString(x, y, self.face.drawable(text))

    def _fitted(self, text: str, size: float, room: float) -> tuple[float, str]:
        width = self.face.width(text, size)
        if width <= room:
            return size, text
        smaller = max(size / 2, size * room / width)
        while len(text) > 1 and self.face.width(text, smaller) > room * 1.001:
            text = text.removesuffix("…")[:-1] + "…"
        return smaller, text


def _pages(cards: list[dict[str, str]]) -> list[list[_Place]]:
    ordered = sorted(cards, key=lambda card: _natural(card["block"]))
    pages: list[list[_Place]] = []
    done = 0
    for _, group in groupby(ordered, key=lambda card: card["block"]):
        block = list(group)
        places = [
            _Place(card, f"{number} / {len(block)}", f"{done + number} / {len(cards)}", (number - 1) % _PER_PAGE)
            for number, card in enumerate(block, start=1)
        ]
        done += len(block)
        pages += [places[start : start + _PER_PAGE] for start in range(0, len(places), _PER_PAGE)]
    return pages


def _natural(block: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by value, also full-width ones: 2組 comes before 10組."""
    parts = re.findall(r"\d+|\D+", unicodedata.normalize("NFKC", block))
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _draw_card(pen: Pen, place: _Place, association: str, address: str) -> None:
    card = place.card
    left = (place.slot % _COLUMNS) * _WIDTH + _INSET
    top = A4[1] - _HEAD - (place.slot // _COLUMNS) * _HEIGHT - 7 * mm
    room = _WIDTH - 2 * _INSET
    beside, beside_room = left + _QR + 2 * mm, room - _QR - 2 * mm
    block_width = pen.text(left, top - 2 * mm, 11, card["block"], room * 0.35) + 4 * mm
    pen.text(left + block_width, top - 2.5 * mm, 16, card["household"], room - block_width)
    draw_qr(pen.canvas, card["url"], left - 2 * mm, top - 5 * mm - _QR, _QR)
    pen.text(beside, top - 11 * mm, 11, association, beside_room)
    pen.text(beside, top - 16 * mm, 9, "電子回覧板へのご招待", beside_room)
    pen.text(beside, top - 24 * mm, 9, "招待番号")
    pen.text(beside, top - 33 * mm, 24, card["code"], beside_room)
    _draw_instruction(pen, left, top - 43 * mm, room, address)
    bottom = top - _HEIGHT + 10 * mm
    pen.text(left, bottom, 7, card["note"], room * 0.6)
    pen.text_right(left + room, bottom, 7, f"{card['block'][:12]} {place.in_block}　全体 {place.in_all}")


def _draw_instruction(pen: Pen, x: float, y: float, room: float, address: str) -> None:
    for number, line in enumerate(_INSTRUCTION):
        pen.text(x, y - number * 4 * mm, 9, line.format(address=address), room)


def _draw_cut_lines(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setLineWidth(0.4)
    canvas.setStrokeGray(0.55)
    canvas.setDash(3, 3)
    top = A4[1] - _HEAD
    for row in range(_ROWS + 1):
        canvas.line(0, top - row * _HEIGHT, A4[0], top - row * _HEIGHT)
    for column in range(1, _COLUMNS):
        canvas.line(column * _WIDTH, top, column * _WIDTH, top - _ROWS * _HEIGHT)
    canvas.restoreState()


def _shown_address(url: str) -> str:
    """An address as one types it."""
    return url.removeprefix("https://").rstrip("/")
