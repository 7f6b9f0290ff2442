"""Runs in the worker process only: a circular on one A4 sheet (R19), with the code that leads to it online (R106); or
for each household that gets paper, behind a list in the order in which they are walked to.
"""

from __future__ import annotations

import datetime
import io
from functools import partial
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from server.association.members.paper_fonts import Typeface
from server.association.members.paper_text import wrap
from server.association.members.qr_cards import Pen, draw_qr

_MARGIN: Final = 20 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_QR: Final = 36 * mm
_BODY_FOOT: Final = _MARGIN + _QR + 6 * mm
_SIZES: Final = tuple(half / 2 for half in range(48, 17, -1))  # points, 24 down to 9 as in a newspaper
_LEADING: Final = 1.55
_CONTINUED: Final = "（つづきは、下のQRコードから読めます）"
_SHEET: Final = "sheet"
_NAME: Final = 70 * mm
_LINE: Final = 9.5 * mm
_PER_LIST: Final = 23
_REIWA_BEFORE: Final = 2018  # 令和1年 is 2019, from the first of May


def sheet_pdf(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """``title``, ``body``, ``issuer``, ``date`` (ISO) and ``qr_url`` as a page of PDF.

    With ``homes`` (block and name each) first the list of them, then a page for each with its name.
    """
    out = io.BytesIO()
    pen = Pen.on_a4(out, values["title"])
    _draw_list(pen, values["title"], values["homes"])
    # What is the same on all sheets stands in the file once.
    pen.canvas.beginForm(_SHEET, 0, 0, *A4)
    _draw_body(pen, values["body"], _draw_head(pen, values))
    _draw_foot(pen, values["qr_url"])
    pen.canvas.endForm()
    for home in values["homes"] or [None]:
        pen.canvas.doForm(_SHEET)
        if home is not None:
            pen.text(_MARGIN + 36 * mm, A4[1] - _MARGIN - 8 * mm, 16, f"{home[0]}　{home[1]} 様", _NAME)
        pen.canvas.showPage()
    pen.canvas.save()
    return {}, out.getvalue()


def _draw_list(pen: Pen, title: str, homes: list[list[str]]) -> None:
    """Who gets the paper, in walking order, with a box to tick at each."""
    for first in range(0, len(homes), _PER_LIST):
        top = A4[1] - _MARGIN
        pen.text(_MARGIN, top - 6 * mm, 18, f"紙を くばる家　{len(homes)}軒（歩く順）", _WIDTH)
        pen.text(_MARGIN, top - 15 * mm, 13, title.replace("\n", " "), _WIDTH)
        for number, (block, name) in enumerate(homes[first : first + _PER_LIST]):
            y = top - 27 * mm - number * _LINE
            pen.canvas.rect(_MARGIN, y - 1 * mm, 5.5 * mm, 5.5 * mm)
            pen.text(_MARGIN + 9 * mm, y, 15, block, 38 * mm)
            pen.text(_MARGIN + 50 * mm, y, 15, name, _WIDTH - 50 * mm)
            pen.canvas.setLineWidth(0.3)
            pen.canvas.line(_MARGIN, y - 2.5 * mm, A4[0] - _MARGIN, y - 2.5 * mm)
        pen.canvas.showPage()


def _draw_head(pen: Pen, values: dict[str, Any]) -> float:
    """Heading, date, issuer and title; answers where the body begins."""
    canvas = pen.canvas
    top = A4[1] - _MARGIN
    canvas.setLineWidth(1.2)
    canvas.rect(_MARGIN, top - 11 * mm, 32 * mm, 12 * mm)
    pen.text(_MARGIN + 5 * mm, top - 8 * mm, 22, "回　覧", 24 * mm)
    pen.text_right(A4[0] - _MARGIN, top - 3 * mm, 12, japanese_date(datetime.date.fromisoformat(values["date"])))
    pen.text_right(A4[0] - _MARGIN, top - 10 * mm, 14, values["issuer"])
    y = top - 26 * mm
    title = pen.face.drawable(values["title"].replace("\n", " "))
    size: float = next((size for size in (28, 24, 20) if pen.face.width(title, size) <= _WIDTH * 2), 16)
    for line in wrap(title, _WIDTH, partial(pen.face.width, size=size))[:3]:
        pen.text(_MARGIN, y, size, line, _WIDTH)
        y -= size * 1.35
    canvas.line(_MARGIN, y + size * 0.6, A4[0] - _MARGIN, y + size * 0.6)
    return float(y - 2 * mm)


def _draw_body(pen: Pen, body: str, top: float) -> None:
    size, lines = _largest_fitting(pen.face, pen.face.drawable(body).strip("\n"), top - _BODY_FOOT)
    y = top - size
    for line in lines:
        pen.text(_MARGIN, y, size, line)
        y -= size * _LEADING


def _largest_fitting(face: Typeface, body: str, height: float) -> tuple[float, list[str]]:
    """The largest letters in which the body fits, and its lines; cut where even the smallest are too large."""
    for size in _SIZES:
        lines = wrap(body, _WIDTH, partial(face.width, size=size))
        room = int(height / (size * _LEADING))
        if len(lines) <= room:
            return size, lines
    return size, [*lines[: room - 1], _CONTINUED]


def _draw_foot(pen: Pen, url: str) -> None:
    canvas = pen.canvas
    canvas.setLineWidth(0.5)
    canvas.line(_MARGIN, _MARGIN + _QR + 2 * mm, A4[0] - _MARGIN, _MARGIN + _QR + 2 * mm)
    draw_qr(canvas, url, A4[0] - _MARGIN - _QR, _MARGIN, _QR)
    room = _WIDTH - _QR - 4 * mm
    pen.text(_MARGIN, _MARGIN + 24 * mm, 15, "スマートフォンでも読めます", room)
    pen.text(_MARGIN, _MARGIN + 15 * mm, 12, "カメラで、右の四角いもようを写してください。", room)
    pen.text(_MARGIN, _MARGIN + 8 * mm, 12, "読んだことの返事も、ここからできます。", room)


def japanese_date(day: datetime.date) -> str:
    """As circulars write it: 2026年（令和8年）11月23日."""
    era = f"（令和{day.year - _REIWA_BEFORE}年）" if day >= datetime.date(2019, 5, 1) else ""
    return f"{day.year}年{era}{day.month}月{day.day}日"
