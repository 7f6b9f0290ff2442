"""Table ``progress_reports``: what associations tell of themselves, and what we have told last."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, select

from federation.figures.model import Content
from federation.figures.progress import Progress
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

progress_reports: Final = Table(
    "progress_reports", metadata,
    Column("server", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
)
_PUT: Final = upsert(
    progress_reports, replace=["room_id", "ts", "signed"], only_if="excluded.ts > progress_reports.ts"
)


class Kept(NamedTuple):
    """What one association has told, and the link over which it came; no link for our own."""

    progress: Progress
    signed: Content
    room_id: str


def put(writes: Writes, progress: Progress, signed: Content, room_id: str) -> None:
    """Keep it, unless something newer of the same association is there."""
    writes.add(_PUT, {
        "server": progress.server, "room_id": room_id, "ts": progress.ts, "signed": orjson.dumps(signed),
    })


async def find(database: Database, server: str) -> Kept | None:
    """The newest of one association."""
    row = await database.fetch_one(select(progress_reports).where(progress_reports.c.server == server))
    return None if row is None else _as_kept(row)


async def every(database: Database) -> list[Kept]:
    """The newest of all."""
    rows = await database.fetch_all(select(progress_reports).order_by(progress_reports.c.server))
    return [_as_kept(row) for row in rows]


def _as_kept(row: Any) -> Kept:
    signed = orjson.loads(row.signed)
    return Kept(Progress.from_json(signed), signed, row.room_id)
