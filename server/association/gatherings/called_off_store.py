"""Table ``called_off_told``: who has heard in their own 窓口 that a gathering does not take place."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

called_off_told: Final = Table(
    "called_off_told", metadata,
    Column("gathering_id", Text, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("user_id", Text, primary_key=True),
)
_NOTE: Final = upsert(called_off_told, replace=())


def note_told(writes: Writes, gathering_id: str, day_ms: int, sequence: int, user_id: str) -> None:
    """Somebody has heard of it."""
    writes.add(_NOTE, {"gathering_id": gathering_id, "day_ms": day_ms, "sequence": sequence, "user_id": user_id})


async def told_of(database: Database, gathering_id: str, day_ms: int, sequence: int) -> set[str]:
    """Who has heard of it."""
    t = called_off_told.c
    wanted = select(t.user_id).where(t.gathering_id == gathering_id, t.day_ms == day_ms, t.sequence == sequence)
    return {str(row.user_id) for row in await database.fetch_all(wanted)}
