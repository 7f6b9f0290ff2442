"""Printed papers: invitation cards for all households, a circular as one A4 sheet, QR codes for pages (R19, R106).

The setting is done in a worker process (``qr_cards.py``, ``circular_sheet.py``): a PDF of 300 cards costs two
seconds of computing and 56 MB for a moment, neither of which the node should feel.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.foundation.errors import InvalidParam
from server.foundation.worker_process import WorkerLimits, WorkerProcess

# What a worker for papers needs: a Japanese font is large, and a big association has thousands of cards.
PAPER_LIMITS: Final = WorkerLimits(memory_mb=600, job_s=60)

_CARDS: Final = "server.association.members.qr_cards:cards_pdf"
_SVG: Final = "server.association.members.qr_cards:qr_svg"
_SHEET: Final = "server.association.members.circular_sheet:sheet_pdf"
_HANDOVER: Final = "server.association.members.handover_sheet:sheet_pdf"
_MOST_CARDS: Final = 5000
_MOST_QR_BYTES: Final = 600  # more makes the squares too small for an old telephone's camera
_MOST_LABEL: Final = 200
_MOST_BODY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Card:
    """One household's invitation: whom it is for, the address behind the QR code, the code to type instead.

    ``note`` is a small line at the bottom, such as until when the invitation holds.
    """

    block: str
    household: str
    url: str
    code: str
    note: str = ""


class Papers:
    """Makes papers; the worker should be its own and have ``PAPER_LIMITS``."""

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    async def invitation_cards_pdf(self, cards: Sequence[Card], association_name: str, node_url: str) -> bytes:
        """A4 pages of eight cards with cut lines, block by block, each block beginning on a page of its own.

        ``node_url`` is the address that people type who cannot photograph the code. Blocks come in their natural order
        (2組 before 10組), cards within a block in the order given. Raises ``InvalidParam``.
        """
        if not 0 < len(cards) <= _MOST_CARDS:
            raise InvalidParam(f"カードは1枚から{_MOST_CARDS}枚までです")
        for card in cards:
            _require_short(card.url)
        values = {
            "association": association_name[:_MOST_LABEL],
            "node_url": node_url[:_MOST_LABEL],
            "cards": [_clipped(card) for card in cards],
        }
        return (await self._worker.run(_CARDS, values)).data

    async def circular_sheet_pdf(
        self, title: str, body: str, issuer: str, date: datetime.date, qr_url: str,
        homes: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        """A circular on exactly one A4 sheet, the letters as large as it allows, with a QR code that leads to it.

        With ``homes`` (block, name) one sheet for each, in that order, behind a list of them. A text too long even in
        small letters is cut, and the sheet says where the rest is. Raises ``InvalidParam``.
        """
        _require_short(qr_url)
        if len(homes) > _MOST_CARDS:
            raise InvalidParam(f"紙は{_MOST_CARDS}枚までです")
        values = {
            "title": title[:_MOST_LABEL], "body": body[:_MOST_BODY], "issuer": issuer[:_MOST_LABEL],
            "date": date.isoformat(), "qr_url": qr_url,
            "homes": [[block[:_MOST_LABEL], name[:_MOST_LABEL]] for block, name in homes],
        }
        return (await self._worker.run(_SHEET, values)).data

    async def handover_sheet_pdf(
        self, association: str, day: str, offices: Sequence[tuple[str, str]], going_on: Sequence[str], url: str
    ) -> bytes:
        """For the next officers: who holds which office from ``day`` on, what goes on, the way in at ``url``."""
        _require_short(url)
        values = {
            "association": association[:_MOST_LABEL], "day": day, "qr_url": url,
            "address": url.removeprefix("https://").rstrip("/"),
            "offices": [[name, persons[:_MOST_BODY]] for name, persons in offices],
            "going_on": [line[:_MOST_LABEL] for line in going_on],
        }
        return (await self._worker.run(_HANDOVER, values)).data

    async def qr_svg(self, text: str) -> str:
        """A QR code as an ``<svg>`` element to put into a page. Raises ``InvalidParam`` for a text too long."""
        _require_short(text)
        return (await self._worker.run(_SVG, {"text": text})).data.decode()


def _require_short(text: str) -> None:
    if not 0 < len(text.encode()) <= _MOST_QR_BYTES:
        raise InvalidParam(f"QRコードに入るのは{_MOST_QR_BYTES}バイトまでです")


def _clipped(card: Card) -> dict[str, str]:
    return {name: value if name == "url" else value[:_MOST_LABEL] for name, value in dataclasses.asdict(card).items()}
