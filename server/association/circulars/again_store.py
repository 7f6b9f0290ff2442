"""Table ``circulars_again``: who was told once more of a circular, and when last."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

circulars_again: Final = Table(
    "circulars_again", metadata,
    Column("circular_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("ts", BigInteger, nullable=False),
)
_NOTE: Final = upsert(circulars_again, replace=["ts"])


def note_again(writes: Writes, circular_id: str, person_id: str, ts: int) -> None:
    """Somebody was told once more."""
    writes.add(_NOTE, {"circular_id": circular_id, "person_id": person_id, "ts": ts})


async def told_again(database: Database, circular_id: str) -> dict[str, int]:
    """Who was told once more, and when last."""
    wanted = select(circulars_again).where(circulars_again.c.circular_id == circular_id)
    return {row.person_id: row.ts for row in await database.fetch_all(wanted)}
