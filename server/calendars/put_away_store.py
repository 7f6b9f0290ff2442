"""Table ``invitations_put_away``: invitations that somebody's app has removed from its inbox or its own calendar."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

put_away: Final = Table(
    "invitations_put_away", metadata,
    Column("user_id", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
_SET: Final = upsert(put_away)


class PutAway(NamedTuple):
    """Up to which SEQUENCE an invitation is gone, and at which position of the gatherings that happened."""

    sequence: int
    revision: int


async def put_away_by(database: Database, user_id: str) -> dict[tuple[str, str], PutAway]:
    """``(place, name)`` to what a user has put away there."""
    rows = await database.fetch_all(select(put_away).where(put_away.c.user_id == user_id))
    return {(row.place, row.name): PutAway(row.sequence, row.revision) for row in rows}


async def set_put_away(tx: Transaction, user_id: str, place: str, name: str, gone: PutAway) -> None:
    """Store that a user has put something away."""
    await tx.execute(_SET, {
        "user_id": user_id, "place": place, "name": name, "sequence": gone.sequence, "revision": gone.revision,
    })


async def forget_put_away(tx: Transaction, user_id: str) -> None:
    """Delete everything of a user."""
    await tx.execute(delete(put_away).where(put_away.c.user_id == user_id))
