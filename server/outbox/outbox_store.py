"""Tables ``outbox`` and ``destinations``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, bindparam, delete, insert, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

outbox: Final = Table(
    "outbox", metadata,
    Column("destination", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("urgent", Integer, nullable=False),
    Column("event_id", Text),
    Column("json", LargeBinary),
)
destinations: Final = Table(
    "destinations", metadata,
    Column("destination", Text, primary_key=True),
    Column("failing_since_ts", BigInteger, nullable=False),
    Column("retry_ts", BigInteger, nullable=False),
    Column("pause_ms", BigInteger, nullable=False),
)

_ADD: Final = insert(outbox)
_DONE: Final = delete(outbox).where(
    outbox.c.destination == bindparam("to"), outbox.c.position == bindparam("at")
)
_ALL_DONE: Final = delete(outbox).where(outbox.c.destination == bindparam("to"))
_SET_PAUSE: Final = upsert(destinations)
_END_PAUSE: Final = delete(destinations).where(destinations.c.destination == bindparam("to"))


class Parcel(NamedTuple):
    """One thing on its way: an event by its id, or something whole."""

    destination: str
    position: int
    urgent: bool
    event_id: str | None
    json: bytes | None


class Pause(NamedTuple):
    """A destination that does not answer: since when, when to try again, and how long the pause is."""

    destination: str
    failing_since_ts: int
    retry_ts: int
    pause_ms: int

    def left_ms(self, now_ms: int) -> int:
        """How long it still is, or 0. One that is longer than it was made has no end: the clock was set back."""
        left = self.retry_ts - now_ms
        return left if 0 < left <= self.pause_ms else 0


def add_parcel(writes: Writes, parcel: Parcel) -> None:
    """Send it as soon as it is committed."""
    writes.add(_ADD, {**parcel._asdict(), "urgent": int(parcel.urgent)})


def drop_parcels(writes: Writes, parcels: Sequence[Parcel]) -> None:
    """They have arrived, or have no more meaning."""
    for parcel in parcels:
        writes.add(_DONE, {"to": parcel.destination, "at": parcel.position})


def drop_all(writes: Writes, destination: str) -> None:
    """Nothing of what waits for a destination will be sent any more."""
    writes.add(_ALL_DONE, {"to": destination})


async def waiting_destinations(database: Database) -> list[str]:
    """All destinations for which something is waiting."""
    rows = await database.fetch_all(select(outbox.c.destination).distinct())
    return [str(row[0]) for row in rows]


async def is_anything_waiting(database: Database) -> bool:
    """Whether there is anything to deliver, or anybody who may have given us up."""
    for waiting in (select(outbox.c.position), select(destinations.c.retry_ts)):
        if await database.fetch_one(waiting.limit(1)) is not None:
            return True
    return False


async def pauses(database: Database) -> dict[str, Pause]:
    """All destinations that did not answer lately."""
    rows = await database.fetch_all(select(destinations))
    return {row.destination: Pause(row.destination, row.failing_since_ts, row.retry_ts, row.pause_ms) for row in rows}


def set_pause(writes: Writes, pause: Pause) -> None:
    """It has not answered."""
    writes.add(_SET_PAUSE, pause._asdict())


def end_pause(writes: Writes, destination: str) -> None:
    """It answers again."""
    writes.add(_END_PAUSE, {"to": destination})
