"""Table ``reports``: what members have told the admins."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, insert, select

from server.storage.database import Database, Transaction, metadata

reports: Final = Table(
    "reports", metadata,
    Column("id", Text, primary_key=True),
    Column("reporter", Text, nullable=False),
    Column("room_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)


class Report(NamedTuple):
    """Something that somebody finds wrong: a room, an event in it, or a user; what it is not about is empty."""

    id: str
    reporter: str
    room_id: str
    event_id: str
    user_id: str
    reason: str
    ts: int


async def add_report(tx: Transaction, report: Report) -> None:
    """Store a report."""
    await tx.execute(insert(reports), report._asdict())


async def times_of_reports(tx: Transaction, reporter: str, since: int) -> list[int]:
    """When somebody has reported something, in milliseconds, the oldest first."""
    asked = select(reports.c.ts).where(reports.c.reporter == reporter, reports.c.ts > since).order_by(reports.c.ts)
    return [int(row[0]) for row in await tx.execute(asked)]


async def newest_reports(database: Database, limit: int, before: int = 2**62) -> list[Report]:
    """Up to ``limit`` reports from before a time in milliseconds, the newest first."""
    asked = select(reports).where(reports.c.ts < before).order_by(reports.c.ts.desc(), reports.c.id).limit(limit)
    return [Report(**row._mapping) for row in await database.fetch_all(asked)]


async def reports_in(database: Database, room_id: str, limit: int) -> list[Report]:
    """Up to ``limit`` reports about a room and what stands in it, the newest ones, the oldest of them first."""
    asked = select(reports).where(reports.c.room_id == room_id).order_by(reports.c.ts.desc(), reports.c.id).limit(limit)
    return [Report(**row._mapping) for row in await database.fetch_all(asked)][::-1]
