"""How far all associations have come, for the desk above them: those who share it, and names of those who do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from federation.figures import progress_store
from federation.figures.model import Figure
from federation.figures.progress import COLUMNS, Progress
from federation.links.book import LinkBook
from federation.links.model import Direction, NodeKind
from server.association.polls.export import csv_file
from server.foundation.clock import tokyo_time

_HIDDEN: Final = "非公開"
_HEADS: Final = (
    "町内会", "連合会", "世帯", "会員", "登録", "登録の割合", "使っている", "使っている割合", "回覧",
    "読んだ割合", "いつ",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRow:
    """One association; ``progress`` is ``None`` where it does not share. ``via``: through which federation it comes."""

    name: str
    via: str
    progress: Progress | None

    @property
    def told(self) -> list[Progress]:
        """As ``figures_of`` and ``shares_of`` take it."""
        return [] if self.progress is None else [self.progress]


class ProgressTables:
    """Read models of progress."""

    def __init__(self, book: LinkBook) -> None:
        self._book = book

    async def rows(self, officer: str) -> list[ProgressRow]:
        """What holds now, those who share first; nothing of links that have ended."""
        self._book.require(officer)
        below = {link.room_id: link for link in self._book.in_force(Direction.BELOW)}
        rows: dict[str, ProgressRow] = {
            link.server: ProgressRow(name=link.name, via="", progress=None)
            for link in below.values() if link.kind is NodeKind.ASSOCIATION
        }
        for kept in await progress_store.every(self._book.database):
            link = below.get(kept.room_id)
            if link is not None and kept.progress.is_shared:
                via = "" if kept.progress.server == link.server else link.name
                rows[kept.progress.server] = ProgressRow(name=kept.progress.name, via=via, progress=kept.progress)
        return sorted(rows.values(), key=lambda row: (row.progress is None, row.via, row.name))

    async def csv(self, officer: str) -> bytes:
        """The same as a file for a spreadsheet."""
        rows = await self.rows(officer)
        every = [one for row in rows for one in row.told]
        return csv_file(_HEADS, [
            *([row.name, row.via, *_cells(row.told), _when(row)] for row in rows), ["合計", "", *_cells(every), ""],
        ])


def figures_of(found: Sequence[Progress]) -> dict[str, Figure]:
    """Sums; ``None`` where nobody tells anything."""
    sums: dict[str, Figure] = {}
    for name in COLUMNS:
        told = [figure for one in found if (figure := one.figures.get(name)) is not None]
        sums[name] = sum(told) if told else None
    return sums


def shares_of(found: Sequence[Progress]) -> dict[str, int | None]:
    """Percent of ``registered`` and ``active`` persons and of ``read`` circulars, of those who tell both parts."""
    shares: dict[str, int | None] = {}
    for part, whole in (("registered", "residents"), ("active", "residents"), ("read", "expected")):
        pairs = [
            (some, every) for one in found
            if (some := one.figures.get(part)) is not None and (every := one.figures.get(whole)) is not None
        ]
        total = sum(every for _, every in pairs)
        shares[part] = round(100 * sum(some for some, _ in pairs) / total) if total else None
    return shares


def _cells(found: Sequence[Progress]) -> list[str]:
    if not found:
        return [""] * 8
    figures = {name: _HIDDEN if figure is None else str(figure) for name, figure in figures_of(found).items()}
    shares = {name: _HIDDEN if share is None else f"{share}%" for name, share in shares_of(found).items()}
    return [
        figures["households"], figures["residents"], figures["registered"], shares["registered"], figures["active"],
        shares["active"], figures["circulars"], shares["read"],
    ]


def _when(row: ProgressRow) -> str:
    return f"{tokyo_time(row.progress.ts):%Y-%m-%d %H:%M}" if row.progress is not None else "共有していません"
