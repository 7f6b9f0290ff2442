"""Table ``calendar_overlays``: what a user has added for themselves to entries of shared calendars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, delete, func, select

from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

overlays: Final = Table(
    "calendar_overlays", metadata,
    Column("user_id", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("lines", Text, nullable=False),
)
_SET: Final = upsert(overlays)


class Overlay(NamedTuple):
    """``lines`` of iCalendar, empty once they were taken back; ``revision`` counts a user's changes in a calendar."""

    revision: int
    lines: str


async def overlays_of(database: Database, user_id: str) -> dict[str, Mapping[str, Overlay]]:
    """All of a user's: collection key to item name to overlay."""
    rows = await database.fetch_all(
        select(overlays.c.collection, overlays.c.name, overlays.c.revision, overlays.c.lines)
        .where(overlays.c.user_id == user_id)
    )
    found: dict[str, dict[str, Overlay]] = {}
    for collection, name, revision, lines in rows:
        found.setdefault(collection, {})[name] = Overlay(int(revision), lines)
    return {**found}


async def set_overlay(tx: Transaction, user_id: str, collection: str, name: str, lines: str) -> None:
    """Replace what the user has added to an item."""
    of_calendar = (overlays.c.user_id == user_id) & (overlays.c.collection == collection)
    last = (await tx.execute(select(func.max(overlays.c.revision)).where(of_calendar))).scalar()
    await tx.execute(_SET, {"user_id": user_id, "collection": collection, "name": name,
                            "revision": int(last or 0) + 1, "lines": lines})


async def count_overlays(tx: Transaction, user_id: str) -> int:
    """How many entries a user has added something to."""
    return int((await tx.execute(select(func.count()).where(overlays.c.user_id == user_id))).scalar_one())


async def forget_overlays(tx: Transaction, user_id: str) -> None:
    """Delete all that a user has added."""
    await tx.execute(delete(overlays).where(overlays.c.user_id == user_id))
