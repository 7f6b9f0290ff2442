"""Runs in the worker process only: answer slips on A4, to be cut, in the order in which they are handed out."""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from server.association.members.paper_text import wrap
from server.association.members.qr_cards import Pen, draw_qr

_MARGIN: Final = 14 * mm
_QR: Final = 38 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_BESIDE: Final = _WIDTH - _QR - 6 * mm
# Few choices stand in large letters: distance of lines, size of letters.
_LARGE: Final = (11.5 * mm, 18)
_SMALL: Final = (8.5 * mm, 13)
_FEW: Final = 3
_TWO_COLUMNS_FROM: Final = 4
_HEAD: Final = 30 * mm
_FOOT: Final = 12 * mm
_HINT: Final = "○を ひとつ つけて、班長さんに もどしてください。"
_HINT_MANY: Final = "あてはまるものに ○を つけて、班長さんに もどしてください。"
_ONLINE: Final = "スマホの方は、上の もようから 答えられます。"


def slips_pdf(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """``slips`` (id, block, name) of a poll (``question``, ``choices``, ``many``, ``until``) as pages of PDF."""
    out = io.BytesIO()
    pen = Pen.on_a4(out, values["question"])
    columns = 2 if len(values["choices"]) >= _TWO_COLUMNS_FROM else 1
    rows = -(-len(values["choices"]) // columns)
    height = max(A4[1] / 4, _HEAD + rows * _letters(rows)[0] + _FOOT + 8 * mm)
    per_page = max(1, int(A4[1] // height))
    for number, slip in enumerate(values["slips"]):
        place = number % per_page
        if number and not place:
            pen.canvas.showPage()
        _draw(pen, values, slip, A4[1] - place * A4[1] / per_page, A4[1] / per_page)
    pen.canvas.showPage()
    pen.canvas.save()
    return {}, out.getvalue()


def _draw(pen: Pen, values: dict[str, Any], slip: dict[str, str], top: float, height: float) -> None:
    y = top - 11 * mm
    pen.text(_MARGIN, y, 10, f"{values['association']}　アンケート　{values['until']}", _BESIDE)
    y -= 8 * mm
    pen.text(_MARGIN, y, 16, f"{slip['block']}　{slip['name']} 様", _BESIDE)
    y -= 8 * mm
    size = 18 if len(values["question"]) < 26 else 14 if len(values["question"]) < 60 else 11
    for line in wrap(pen.face.drawable(values["question"]), _BESIDE, partial(pen.face.width, size=size))[:2]:
        pen.text(_MARGIN, y, size, line, _BESIDE)
        y -= size * 1.35
    draw_qr(pen.canvas, f"{values['address']}/slips/{slip['id']}", A4[0] - _MARGIN - _QR, top - 8 * mm - _QR, _QR)
    _draw_choices(pen, values["choices"], y - 4 * mm)
    pen.text(_MARGIN, top - height + 6 * mm, 12, _HINT_MANY if values["many"] else _HINT, _BESIDE)
    for number, line in enumerate(wrap(_ONLINE, _QR, partial(pen.face.width, size=9))):
        pen.text(A4[0] - _MARGIN - _QR, top - 11 * mm - _QR - number * 4 * mm, 9, line)
    _cut_line(pen, top - height)


def _draw_choices(pen: Pen, choices: list[str], top: float) -> None:
    columns = 2 if len(choices) >= _TWO_COLUMNS_FROM else 1
    rows = -(-len(choices) // columns)
    width, (step, size) = _BESIDE / columns, _letters(rows)
    box = size * 0.9
    for number, choice in enumerate(choices):
        x, y = _MARGIN + (number // rows) * width, top - (number % rows) * step
        pen.canvas.setLineWidth(0.8)
        pen.canvas.circle(x + box / 2, y + size * 0.35, box / 2)
        pen.text(x + box + 2 * mm, y, size, choice, width - box - 4 * mm)


def _letters(rows: int) -> tuple[float, float]:
    """Distance of lines and size of letters for so many choices below one another, in points."""
    return _LARGE if rows <= _FEW else _SMALL


def _cut_line(pen: Pen, y: float) -> None:
    pen.canvas.saveState()
    pen.canvas.setLineWidth(0.4)
    pen.canvas.setStrokeGray(0.55)
    pen.canvas.setDash(3, 3)
    pen.canvas.line(0, y, A4[0], y)
    pen.canvas.restoreState()
