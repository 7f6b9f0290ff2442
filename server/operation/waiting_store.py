"""What waits in the node's tables for others: how much, and for how long; and how large the whole is."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import text

from server.storage.database import Database

_WAITING: Final = text(
    "SELECT outbox.destination AS destination, count(*) AS waiting, min(events.ts) AS oldest_ts,"
    " min(destinations.failing_since_ts) AS failing_since_ts"
    " FROM outbox LEFT JOIN events ON events.event_id = outbox.event_id"
    " LEFT JOIN destinations ON destinations.destination = outbox.destination"
    " GROUP BY outbox.destination ORDER BY count(*) DESC, outbox.destination"
)
_ALIVE: Final = text("SELECT 1")


class Waiting(NamedTuple):
    """What waits for one server: how many things, the oldest event's moment, and since when it does not answer."""

    destination: str
    waiting: int
    oldest_ts: int | None
    failing_since_ts: int | None


async def what_waits(database: Database) -> list[Waiting]:
    """All destinations for which something waits, the longest queue first."""
    rows = await database.fetch_all(_WAITING)
    return [Waiting(row.destination, int(row.waiting), row.oldest_ts, row.failing_since_ts) for row in rows]


async def ask_anything(database: Database) -> None:
    """Ask the database something that it always knows; raises what it raises."""
    await database.fetch_one(_ALIVE)
