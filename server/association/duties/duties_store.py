"""Tables ``duties`` and ``duty_posts``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, select

from server.association.duties.book import DutyBook
from server.association.duties.contents import duty_json, read_duty
from server.association.duties.model import Duty
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

duties: Final = Table(
    "duties", metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
posts: Final = Table(
    "duty_posts", metadata,
    Column("duty_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
)
_PUT: Final = upsert(duties)
_PUT_POST: Final = upsert(posts)


async def load_duties(database: Database, book: DutyBook) -> None:
    """Enter all duties into ``book``."""
    for row in await database.fetch_all(select(duties)):
        duty = read_duty(orjson.loads(row.content))
        book.enter(replace(duty, created_ms=row.created_ms, changed_ms=row.changed_ms, revision=row.revision))
    for row in await database.fetch_all(select(posts)):
        book.enter_post(row.duty_id, row.room_id, row.event_id)


def put_duty(writes: Writes, duty: Duty) -> None:
    """Store a duty as it is now."""
    writes.add(_PUT, {
        "id": duty.id, "content": orjson.dumps(duty_json(duty)).decode(), "created_ms": duty.created_ms,
        "changed_ms": duty.changed_ms, "revision": duty.revision,
    })


def put_post(writes: Writes, duty_id: str, room_id: str, event_id: str) -> None:
    """Store which message tells of it in a room."""
    writes.add(_PUT_POST, {"duty_id": duty_id, "room_id": room_id, "event_id": event_id})
