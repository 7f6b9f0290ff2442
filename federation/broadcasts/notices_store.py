"""Tables ``notices``, ``notice_originals`` and ``notice_ways``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, or_, select

from federation.broadcasts.model import Content, Notice, Record, Standing
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

notices: Final = Table(
    "notices", metadata,
    Column("key", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("sent_ts", BigInteger, nullable=False),
    Column("expires_ts", BigInteger, nullable=False),
    Column("received_ts", BigInteger, nullable=False),
    Column("circular_id", Text, nullable=False),
    Column("twin_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_ts", BigInteger),
    Column("signed", LargeBinary, nullable=False),
)
notice_originals: Final = Table(
    "notice_originals", metadata,
    Column("key", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("signed", LargeBinary, nullable=False),
)
notice_ways: Final = Table(
    "notice_ways", metadata,
    Column("key", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_PUT: Final = upsert(notices)
_KEEP: Final = upsert(notice_originals, replace=())
_WAY: Final = upsert(notice_ways, replace=())


class Way(NamedTuple):
    """A revision of a notice has come over a link."""

    key: str
    revision: int
    room_id: str
    event_id: str
    ts: int


def put(writes: Writes, record: Record) -> None:
    """Keep a notice, or what has become of it, and its original for ever."""
    notice, signed = record.notice, orjson.dumps(record.signed)
    writes.add(_PUT, {
        "key": record.key, "origin": notice.origin, "revision": notice.revision, "kind": notice.message.kind.value,
        "stage": notice.stage.value, "category": notice.message.category.value,
        "priority": notice.message.priority.value, "title": notice.message.title,
        "standing": record.standing.value, "sent_ts": notice.sent_ts, "expires_ts": notice.expires_ts,
        "received_ts": record.received_ts, "circular_id": record.circular_id, "twin_id": record.twin_id,
        "note": record.note, "decided_by": record.decided_by, "decided_ts": record.decided_ts, "signed": signed,
    })
    writes.add(_KEEP, {"key": record.key, "revision": notice.revision, "signed": signed})


def add_way(writes: Writes, way: Way) -> None:
    """Keep by which link it came."""
    writes.add(_WAY, way._asdict())


async def find(database: Database, key: str) -> Record | None:
    """One notice."""
    row = await database.fetch_one(select(notices).where(notices.c.key == key))
    return None if row is None else _as_record(row)


async def find_shown_as(database: Database, item_id: str) -> Record | None:
    """The notice that a circular, a poll or a safety check was made of."""
    row = await database.fetch_one(
        select(notices).where(or_(notices.c.circular_id == item_id, notices.c.twin_id == item_id)))
    return None if row is None else _as_record(row)


async def newest(
    database: Database, limit: int, standings: Sequence[Standing], before_ts: int | None = None
) -> list[Record]:
    """Notices in some standings, the newest first."""
    n = notices.c
    statement = select(notices).where(n.standing.in_([item.value for item in standings]))
    if before_ts is not None:
        statement = statement.where(n.sent_ts < before_ts)
    rows = await database.fetch_all(statement.order_by(n.sent_ts.desc(), n.key).limit(limit))
    return [_as_record(row) for row in rows]


async def original(database: Database, key: str, revision: int) -> Content | None:
    """A revision as it was signed."""
    o = notice_originals.c
    row = await database.fetch_one(select(o.signed).where(o.key == key, o.revision == revision))
    return None if row is None else orjson.loads(row[0])


async def ways_of(database: Database, key: str) -> list[Way]:
    """By which links a notice has come, all revisions."""
    rows = await database.fetch_all(
        select(notice_ways).where(notice_ways.c.key == key).order_by(notice_ways.c.ts, notice_ways.c.room_id))
    return [Way(*row) for row in rows]


def _as_record(row: Any) -> Record:
    signed = orjson.loads(row.signed)
    return Record(
        notice=Notice.from_json(signed), signed=signed, standing=Standing(row.standing), received_ts=row.received_ts,
        circular_id=row.circular_id, twin_id=row.twin_id, note=row.note, decided_by=row.decided_by,
        decided_ts=row.decided_ts,
    )
