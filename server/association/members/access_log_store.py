"""Table ``access_log``: who looked at the roster (R117, R58: the person looked at may know)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, insert, select

from server.storage.database import Database, Writes, metadata

access_log: Final = Table(
    "access_log", metadata,
    Column("id", Text, primary_key=True),
    Column("ts", BigInteger, nullable=False),
    Column("viewer", Text, nullable=False),
    Column("what", Text, nullable=False),
)
_INSERT: Final = insert(access_log)


@dataclass(frozen=True, slots=True)
class Look:
    """``viewer`` (a user id) looked at ``what`` at ``ts`` (ms since 1970)."""

    id: str
    ts: int
    viewer: str
    what: str


def add_look(writes: Writes, look: Look) -> None:
    """Store that somebody looked."""
    writes.add(_INSERT, {"id": look.id, "ts": look.ts, "viewer": look.viewer, "what": look.what})


async def looks(database: Database, limit: int) -> list[Look]:
    """The last ``limit`` looks, newest first."""
    rows = await database.fetch_all(select(access_log).order_by(access_log.c.ts.desc()).limit(limit))
    return [Look(row.id, row.ts, row.viewer, row.what) for row in rows]
