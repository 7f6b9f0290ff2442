"""Table ``standing_papers``."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, select

from server.association.standing_papers.model import Kind, StandingPaper
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

standing_papers: Final = Table(
    "standing_papers", metadata,
    Column("kind", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
)
_SET: Final = upsert(standing_papers)
_KINDS: Final = {kind.value: kind for kind in Kind}


def set_paper(writes: Writes, paper: StandingPaper) -> None:
    """Store a paper over the one before it."""
    writes.add(_SET, {
        "kind": paper.kind.value, "text": paper.text, "revision": paper.revision, "changed_by": paper.changed_by,
        "changed_ts": paper.changed_ts,
    })


async def all_papers(database: Database) -> list[StandingPaper]:
    """Those that have been written."""
    rows = await database.fetch_all(select(standing_papers))
    return [
        StandingPaper(_KINDS[row.kind], row.text, row.revision, row.changed_by, row.changed_ts)
        for row in rows if row.kind in _KINDS
    ]
