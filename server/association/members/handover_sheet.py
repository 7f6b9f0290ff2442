"""Runs in the worker process only: the sheet that the next officers are given, on one A4 page or two."""

from __future__ import annotations

import io
from functools import partial
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from server.association.members.paper_text import wrap
from server.association.members.qr_cards import Pen, draw_qr

_MARGIN: Final = 18 * mm
_WIDTH: Final = A4[0] - 2 * _MARGIN
_QR: Final = 30 * mm
_SIZE: Final = 11.0
_STEP: Final = 6.2 * mm
_FIRST: Final = (
    "右の 四角いもようを 写すか、{address} を ひらきます。パスワードは いりません（前の役員の ものも）。",
    "ひらけないときは、ほかの役員に「新しい電話の カード」を 出してもらいます。",
    "「役員のつくえ」→「問題はありませんか」を 見ます。",
    "「役員のつくえ」→「名簿」で、役が 正しいかを たしかめます。",
    "下の「いま つづいていること」を、前の役員と いっしょに 見ます。",
)
_BY_HAND: Final = (
    "機械の おき場所", "機械を みている人（電話）", "控えの ディスクの おき場所", "集会所の かぎ", "通帳・はんこ",
    "市の 担当（電話）", "そのほか",
)


class _Sheet:
    """Lines from the top to the bottom; a new page where one is full."""

    def __init__(self, pen: Pen, title: str) -> None:
        self.pen = pen
        self._title = title
        self.y = A4[1] - _MARGIN

    def step(self, height: float = _STEP) -> None:
        self.y -= height
        if self.y < _MARGIN:
            self.pen.canvas.showPage()
            self.y = A4[1] - _MARGIN
            self.pen.text(_MARGIN, self.y, 9, f"{self._title}（つづき）", _WIDTH)
            self.y -= 2 * _STEP

    def heading(self, text: str) -> None:
        self.step(2 * _STEP)
        self.pen.text(_MARGIN, self.y, 14, text, _WIDTH)
        self.pen.canvas.setLineWidth(0.8)
        self.pen.canvas.line(_MARGIN, self.y - 2 * mm, A4[0] - _MARGIN, self.y - 2 * mm)
        self.step(1.5 * mm)

    def words(self, text: str, mark: str = "", width: float = _WIDTH) -> None:
        inset = 6 * mm if mark else 0
        face = self.pen.face
        for number, line in enumerate(wrap(face.drawable(text), width - inset, partial(face.width, size=_SIZE))):
            self.step()
            if not number and mark:
                self.pen.text(_MARGIN, self.y, _SIZE, mark)
            self.pen.text(_MARGIN + inset, self.y, _SIZE, line)

    def pair(self, name: str, value: str) -> None:
        self.step()
        self.pen.text(_MARGIN, self.y, _SIZE, name, 42 * mm)
        self.pen.text(_MARGIN + 45 * mm, self.y, 13, value, _WIDTH - 45 * mm)

    def to_fill_in(self, name: str) -> None:
        self.step(1.35 * _STEP)
        self.pen.text(_MARGIN, self.y, _SIZE, name, 52 * mm)
        self.pen.canvas.setLineWidth(0.4)
        self.pen.canvas.line(_MARGIN + 55 * mm, self.y - 1 * mm, A4[0] - _MARGIN, self.y - 1 * mm)


def sheet_pdf(values: dict[str, Any], _data: bytes) -> tuple[dict[str, Any], bytes]:
    """``association``, ``day`` (in words), ``offices`` (pairs of office and names), ``going_on`` (sentences),
    ``address`` and ``qr_url`` as a PDF.
    """
    out = io.BytesIO()
    title = f"{values['association']} 役員の 引きつぎ"
    pen = Pen.on_a4(out, title)
    sheet = _Sheet(pen, title)
    draw_qr(pen.canvas, values["qr_url"], A4[0] - _MARGIN - _QR, A4[1] - _MARGIN - _QR + 5 * mm, _QR)
    pen.text(_MARGIN, sheet.y, 12, values["association"], _WIDTH - _QR - 5 * mm)
    sheet.step(10 * mm)
    pen.text(_MARGIN, sheet.y, 22, "役員の 引きつぎ", _WIDTH - _QR - 5 * mm)
    sheet.step(8 * mm)
    pen.text(_MARGIN, sheet.y, 12, values["day"], _WIDTH - _QR - 5 * mm)
    sheet.step(8 * mm)
    sheet.heading("新しい 役員")
    for name, persons in values["offices"]:
        sheet.pair(name, persons)
    sheet.heading("はじめに すること")
    for line in _FIRST:
        sheet.words(line.format(address=values["address"]), "□")
    sheet.heading("いま つづいていること")
    for line in values["going_on"] or ["ありません。"]:
        sheet.words(line, "・")
    sheet.heading("前の役員が 書くところ")
    for line in _BY_HAND:
        sheet.to_fill_in(line)
    pen.canvas.showPage()
    pen.canvas.save()
    return {}, out.getvalue()
