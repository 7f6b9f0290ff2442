"""Runs in the worker process only: the households to be called, in walking order, with a box to tick for each."""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from server.association.members.paper_text import wrap
from server.association.members.qr_cards import Pen

_MARGIN: Final = 16 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_BOX: Final = 8 * mm
_ROW: Final = 21 * mm
_FOOT: Final = 18 * mm


def calls_pdf(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """``title``, ``when``, ``reason`` of what is off, and ``rows`` (block, household, persons, told): pages of PDF."""
    out = io.BytesIO()
    pen = Pen.on_a4(out, values["title"])
    y = _draw_head(pen, values)
    for row in values["rows"]:
        if y < _FOOT + _ROW:
            pen.canvas.showPage()
            y = A4[1] - _MARGIN
        _draw_row(pen, row, y)
        y -= _ROW
    pen.canvas.showPage()
    pen.canvas.save()
    return {}, out.getvalue()


def _draw_head(pen: Pen, values: dict[str, Any]) -> float:
    y = A4[1] - _MARGIN - 6 * mm
    pen.text(_MARGIN, y, 22, "中止のお知らせ　電話で知らせる人", _WIDTH)
    y -= 10 * mm
    for line in (values["title"], values["when"], values["reason"]):
        for part in wrap(pen.face.drawable(line), _WIDTH, partial(pen.face.width, size=16))[:2] if line else ():
            pen.text(_MARGIN, y, 16, part, _WIDTH)
            y -= 8 * mm
    return float(y - 2 * mm)


def _draw_row(pen: Pen, row: dict[str, str], top: float) -> None:
    canvas = pen.canvas
    canvas.setLineWidth(0.4)
    canvas.line(_MARGIN, top + 2 * mm, _MARGIN + _WIDTH, top + 2 * mm)
    canvas.setLineWidth(1)
    canvas.rect(_MARGIN, top - 11 * mm, _BOX, _BOX)
    left = _MARGIN + _BOX + 5 * mm
    room = _WIDTH - _BOX - 5 * mm
    pen.text(left, top - 6 * mm, 18, f"{row['block']}　{row['household']}", room)
    pen.text(left, top - 14 * mm, 14, row["persons"], room)
    if row["told"]:
        pen.text(_MARGIN + 1 * mm, top - 9 * mm, 16, "✓", _BOX)
        pen.text_right(_MARGIN + _WIDTH, top - 6 * mm, 11, row["told"])
