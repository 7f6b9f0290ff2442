"""Table ``figure_reports``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, bindparam, select, update

from federation.figures.model import Content, Report
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

figure_reports: Final = Table(
    "figure_reports", metadata,
    Column("key", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("passed_seq", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
)
_PUT: Final = upsert(
    figure_reports, replace=["room_id", "seq", "ts", "signed"], only_if="excluded.seq > figure_reports.seq"
)
_PASSED: Final = (
    update(figure_reports)
    .where(
        figure_reports.c.key == bindparam("of"), figure_reports.c.server == bindparam("who"),
        figure_reports.c.passed_seq < bindparam("number"),
    )
    .values(passed_seq=bindparam("number"))
)


class Kept(NamedTuple):
    """A report and the link over which it came; no link for our own."""

    report: Report
    signed: Content
    room_id: str


def put(writes: Writes, report: Report, signed: Content, room_id: str) -> None:
    """Keep a report, unless a newer one of the same node is there."""
    writes.add(_PUT, {
        "key": report.key, "server": report.server, "room_id": room_id, "seq": report.seq, "passed_seq": 0,
        "ts": report.ts, "signed": orjson.dumps(signed),
    })


def note_passed(writes: Writes, report: Report) -> None:
    """The report has gone up."""
    writes.add(_PASSED, {"of": report.key, "who": report.server, "number": report.seq})


async def find(database: Database, key: str, server: str) -> Report | None:
    """The newest report of one node about one notice."""
    r = figure_reports.c
    row = await database.fetch_one(select(figure_reports).where(r.key == key, r.server == server))
    return None if row is None else _as_kept(row).report


async def reports_of(database: Database, key: str) -> list[Kept]:
    """All newest reports about a notice."""
    rows = await database.fetch_all(
        select(figure_reports).where(figure_reports.c.key == key).order_by(figure_reports.c.server))
    return [_as_kept(row) for row in rows]


async def due(database: Database, limit: int) -> list[Kept]:
    """What has not gone up yet."""
    r = figure_reports.c
    rows = await database.fetch_all(
        select(figure_reports).where(r.seq > r.passed_seq).order_by(r.ts, r.key, r.server).limit(limit))
    return [_as_kept(row) for row in rows]


def _as_kept(row: Any) -> Kept:
    signed = orjson.loads(row.signed)
    return Kept(Report.from_json(signed), signed, row.room_id)
