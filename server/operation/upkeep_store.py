"""Table ``upkeep``: when backups and checks were last tried, and when they last went well."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

upkeep: Final = Table(
    "upkeep", metadata,
    Column("work", Text, primary_key=True),
    Column("tried_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("words", Text, nullable=False),
)

_SET: Final = upsert(upkeep)


class Upkeep(NamedTuple):
    """One kind of work (``backup``, ``check``): last tried, last done (``None``: never), and what went wrong."""

    work: str
    tried_ms: int
    done_ms: int | None
    words: str = ""


async def all_upkeep(database: Database) -> dict[str, Upkeep]:
    """Everything that is known."""
    rows = await database.fetch_all(select(upkeep))
    return {row.work: Upkeep(row.work, row.tried_ms, row.done_ms, row.words) for row in rows}


def set_upkeep(writes: Writes, done: Upkeep) -> None:
    """It was tried."""
    writes.add(_SET, done._asdict())
