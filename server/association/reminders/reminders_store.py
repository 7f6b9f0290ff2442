"""Table ``reminders``: who was reminded of what, so that nobody is reminded twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.association.reminders.model import Kind
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

reminders: Final = Table(
    "reminders", metadata,
    Column("user_id", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
)
_PUT: Final = upsert(reminders)
_FORGET: Final = delete(reminders).where(reminders.c.start_ms < bindparam("before"))


def note(writes: Writes, user_id: str, thing: str, start_ms: int, kind: str) -> None:
    """Store that somebody was reminded."""
    writes.add(_PUT, {"user_id": user_id, "thing": thing, "start_ms": start_ms, "kind": kind})


def forget_before(writes: Writes, start_ms: int) -> None:
    """What began before needs no memory."""
    writes.add(_FORGET, {"before": start_ms})


async def sent(database: Database, things: Iterable[str]) -> set[tuple[str, str, int, Kind]]:
    """``(user, thing, start, kind)`` of what was sent."""
    rows = await database.fetch_all(select(reminders).where(reminders.c.thing.in_(list(things))))
    known = {kind.value: kind for kind in Kind}
    return {(row.user_id, row.thing, row.start_ms, known[row.kind]) for row in rows if row.kind in known}
