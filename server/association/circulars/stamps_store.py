"""Table ``circular_stamps``: reactions to circulars that acknowledge nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Column, Table, Text, bindparam, delete, select, text

from server.storage.database import Database, Writes, metadata

circular_stamps: Final = Table(
    "circular_stamps", metadata,
    Column("event_id", Text, primary_key=True),
    Column("circular_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("stamp", Text, nullable=False),
)
# Which circular a reaction is about is looked up where it is written.
_ADD: Final = text(
    "INSERT INTO circular_stamps (event_id, circular_id, user_id, stamp) "
    "SELECT :event_id, circular_id, :user_id, :stamp FROM circular_rooms "
    "WHERE event_id = :target AND room_id = :room_id ON CONFLICT (event_id) DO NOTHING"
).bindparams(*(bindparam(name, type_=Text()) for name in ("event_id", "user_id", "stamp", "target", "room_id")))
_DROP: Final = delete(circular_stamps).where(circular_stamps.c.event_id == bindparam("event"))


class Stamped(NamedTuple):
    """Somebody has put a stamp on a circular, by a reaction in a room."""

    event_id: str
    user_id: str
    stamp: str


def add_stamp(writes: Writes, stamped: Stamped, room_id: str, target: str) -> None:
    """Store a reaction to the message ``target``, if that is a circular."""
    writes.add(_ADD, {**stamped._asdict(), "target": target, "room_id": room_id})


def drop_stamp(writes: Writes, event_id: str) -> None:
    """The reaction was taken back."""
    writes.add(_DROP, {"event": event_id})


async def stamps_of(database: Database, circular_id: str) -> list[Stamped]:
    """All stamps on a circular, in no order."""
    c = circular_stamps.c
    rows = await database.fetch_all(select(c.event_id, c.user_id, c.stamp).where(c.circular_id == circular_id))
    return [Stamped(*row) for row in rows]
