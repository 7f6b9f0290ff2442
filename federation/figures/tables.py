"""What has come back about a notice, for the desk that sent it: a row for each association, sums for each level."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from federation.broadcasts import notices_store
from federation.broadcasts.model import Kind, Record
from federation.broadcasts.sends_store import Send, sends_of
from federation.figures import reports_store
from federation.figures.model import REACH, SAFETY, Figures, Report, Row, Table
from federation.links.book import LinkBook
from federation.links.model import Link, NodeKind, Told
from server.association.polls.export import csv_file
from server.foundation.clock import tokyo_time
from server.foundation.errors import NotFound
from server.outbox import outbox_store

_HIDDEN: Final = "非公開"
_COLUMNS: Final = {
    "total": "合計", "delivered": "届いた", "acknowledged": "確認した", "opened": "開いた", "seen": "見た",
    "paper": "紙で届けた", "not_yet": "まだ", "answered": "回答", "safe": "無事", "contact": "連絡希望",
    "help": "支援希望", "read": "既読・未回答", "unread": "未読", "no_app": "アプリなし・未確認",
    "unanswered": "未回答",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table in words; the last of ``sums`` is that of all."""

    record: Record
    table: Table
    heads: Sequence[str]
    rows: Sequence[tuple[Row, Sequence[str]]]
    sums: Sequence[tuple[str, Sequence[str]]]


class Tables:
    """Read models of figures."""

    def __init__(self, book: LinkBook, report_now: Callable[[], Awaitable[None]]) -> None:
        self._book = book
        self.report_now = report_now

    async def table(self, officer: str, key: str) -> Table:
        """Everything that has come back about a notice; raises ``Forbidden`` or ``NotFound``."""
        self._book.require(officer)
        database = self._book.database
        if await notices_store.find(database, key) is None:
            raise NotFound("その知らせはありません")
        kept = await reports_store.reports_of(database, key)
        sends: dict[str, Send] = {send.room_id: send for send in await sends_of(database, key)}
        away = await outbox_store.pauses(database)
        rows: list[Row] = []
        groups: dict[str, list[Report]] = {}
        linked = [(link, send) for room_id, send in sends.items() if (link := self._book.find(room_id)) is not None]
        # Whoever has a link of its own stands there, also where its figures came through a federation first.
        own = {link.server for link, _ in linked}
        by_server = {item.report.server: item.report for item in kept}
        for link, send in linked:
            told = [item.report for item in kept if item.room_id == link.room_id]
            direct = by_server.get(link.server)
            pause = away.get(link.server)
            rows.append(_row(link, send, direct, None if pause is None else pause.failing_since_ts))
            others = [report for report in told if report.server not in own]
            rows += [_row_through(link, report) for report in others]
            if link.kind is NodeKind.FEDERATION:
                groups[link.name] = [*([direct] if direct else []), *others]
        every = {row.server: row.report for row in rows if row.report is not None}
        return Table(
            key=key, rows=rows, total=Figures.of(every.values()),
            groups={name: Figures.of(reports) for name, reports in groups.items()},
        )

    async def sheet(self, officer: str, key: str) -> Sheet:
        """The table as people read it: headings, cells, sums."""
        table = await self.table(officer, key)
        record = await notices_store.find(self._book.database, key)
        assert record is not None
        columns = [(told, name) for told, names in _columns_of(record).items() for name in names]

        def cells(figures: Figures) -> list[str]:
            return [str(figures.get(told).get(name, 0)) for told, name in columns]

        def own(row: Row) -> list[str]:
            sections = row.report.sections if row.report is not None else {}
            return [_cell(sections.get(told, {}), name) for told, name in columns]

        return Sheet(
            record=record, table=table, heads=[_head(record, name) for _, name in columns],
            rows=[(row, own(row)) for row in table.rows],
            sums=[*((name, cells(figures)) for name, figures in table.groups.items()), ("合計", cells(table.total))],
        )

    async def csv(self, officer: str, key: str) -> bytes:
        """The table as a file for a spreadsheet."""
        sheet = await self.sheet(officer, key)
        return csv_file(["町内会", "連合会", "状態", *sheet.heads], [
            *([row.name, row.via, _standing(row), *cells] for row, cells in sheet.rows),
            *([name, "", "", *cells] for name, cells in sheet.sums),
        ])


def _row(link: Link, send: Send, report: Report | None, down_since_ts: int | None) -> Row:
    return Row(
        server=link.server, name=link.name, kind=link.kind, via="", report=report,
        down_since_ts=down_since_ts,
        state="waiting" if report is None else report.state, since_ts=send.ts if report is None else report.ts,
    )


def _row_through(link: Link, report: Report) -> Row:
    return Row(
        server=report.server, name=report.name, kind=report.kind, via=link.name, state=report.state,
        since_ts=report.ts, report=report,
    )


def _columns_of(record: Record) -> dict[Told, list[str]]:
    said = record.notice.message
    if said.kind is Kind.SAFETY_CHECK:
        return {Told.SAFETY: ["total", "answered", *SAFETY]}
    reach = {Told.REACH: ["total", "delivered", *REACH]}
    if said.kind is Kind.SURVEY:
        return {Told.ANSWERS: ["total", "answered", "unanswered", *(f"c{n}" for n in range(1, len(said.choices) + 1))],
                **reach}
    return reach


def _head(record: Record, name: str) -> str:
    if name in _COLUMNS:
        return _COLUMNS[name]
    return record.notice.message.choices[int(name[1:]) - 1]


def _cell(section: dict[str, int | None], name: str) -> str:
    if name not in section:
        return ""
    figure = section[name]
    return _HIDDEN if figure is None else str(figure)


def _standing(row: Row) -> str:
    if row.down_since_ts is None:
        return row.label
    return f"{row.label}（{tokyo_time(row.down_since_ts):%Y-%m-%d %H:%M}から返事がありません）"
