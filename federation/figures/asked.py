"""What was asked of associations (棚卸し): each notice, survey and safety check with its date, category and deadline,
and by how many it was answered; so that a city sees what it puts on its associations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from federation.broadcasts import notices_store
from federation.broadcasts.model import Kind, Record, Standing
from federation.figures.model import Row
from federation.figures.tables import Tables
from federation.links.book import LinkBook
from federation.links.model import NodeKind, Told
from server.association.polls.export import csv_file
from server.foundation.clock import tokyo_time

_MOST: Final = 500
_HEADS: Final = (
    "送った日", "題名", "種類", "分野", "急ぎ", "担当", "あて先", "期限", "いま", "送った町内会", "届いた町内会",
    "回覧した町内会", "回答した町内会", "回答した人", "対象の人",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One of them. ``sent``: to how many associations; ``came``, ``shown``, ``answered_by``: of those; ``answers`` and
    ``people``: persons, ``None`` where nothing is asked of them."""

    record: Record
    sent: int
    came: int
    shown: int
    answered_by: int | None
    answers: int | None
    people: int | None


class AskedList:
    """Read models of what was asked."""

    def __init__(self, book: LinkBook, tables: Tables) -> None:
        self._book = book
        self._tables = tables

    async def between(self, officer: str, since_ts: int, until_ts: int) -> list[Asked]:
        """What was sent from here in a time (ms), the newest first; raises ``Forbidden``."""
        self._book.require(officer)
        records = await notices_store.newest(self._book.database, _MOST, [Standing.OWN], until_ts)
        return [
            await self._asked(officer, record) for record in records if record.notice.sent_ts >= since_ts
        ]

    async def csv(self, officer: str, since_ts: int, until_ts: int) -> bytes:
        """The same as a file for a spreadsheet."""
        return csv_file(_HEADS, [_cells(item) for item in await self.between(officer, since_ts, until_ts)])

    async def _asked(self, officer: str, record: Record) -> Asked:
        table = await self._tables.table(officer, record.key)
        told = _TOLD_OF.get(record.notice.message.kind)
        ones = [row for row in table.rows if row.kind is NodeKind.ASSOCIATION]
        sums = table.total.get(told) if told is not None else {}
        return Asked(
            record=record, sent=_sent_to(table.rows), came=sum(1 for row in ones if not row.is_missing),
            shown=sum(1 for row in ones if row.state == "shown"),
            answered_by=None if told is None else sum(1 for row in ones if _has_answered(row, told)),
            answers=None if told is None else sums.get("answered", 0),
            people=None if told is None else sums.get("total", 0),
        )


_TOLD_OF: Final = {Kind.SURVEY: Told.ANSWERS, Kind.SAFETY_CHECK: Told.SAFETY}


def _sent_to(rows: Sequence[Row]) -> int:
    """Associations to which it goes: those with a link of their own, and those of which a federation has told."""
    direct = sum(1 for row in rows if row.kind is NodeKind.ASSOCIATION and not row.via)
    through = 0
    for row in rows:
        if row.kind is NodeKind.FEDERATION:
            known = sum(1 for other in rows if other.via == row.name)
            through += max(known, row.report.below if row.report is not None else 0)
    return direct + through


def _has_answered(row: Row, told: Told) -> bool:
    """Somebody there has; also where it is hidden how many."""
    section = row.report.sections.get(told, {}) if row.report is not None else {}
    return section.get("answered", 0) != 0


def _cells(item: Asked) -> list[str]:
    notice, said = item.record.notice, item.record.notice.message
    deadline = "" if said.deadline is None else f"{tokyo_time(said.deadline):%Y-%m-%d}"
    numbers = (item.sent, item.came, item.shown, item.answered_by, item.answers, item.people)
    return [
        f"{tokyo_time(notice.sent_ts):%Y-%m-%d}", said.title, said.kind.label, said.category.label,
        said.priority.label, said.office, " ".join(said.areas), deadline, notice.stage.label,
        *("" if number is None else str(number) for number in numbers),
    ]
