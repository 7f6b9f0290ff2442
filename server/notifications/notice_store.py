"""Table ``event_notices``: who is told of an event beyond what its ``notifies`` flag says to all."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, func, insert, select

from server.rooms.event_store import events
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.timeline import NOTIFIES
from server.storage.database import Database, Writes, metadata

event_notices: Final = Table(
    "event_notices", metadata,
    Column("user_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("stream", BigInteger, primary_key=True, autoincrement=False),
    Column("notify", Integer, nullable=False),
    Column("highlight", Integer, nullable=False),
)

_INSERT: Final = insert(event_notices)


def add_notice(writes: Writes, room: LiveRoom, stream: int, user_id: str, *, highlight: bool) -> None:
    """``user_id`` is told of the event at ``stream``."""
    writes.add(_INSERT, {
        "stream": stream, "user_id": user_id, "room_id": room.room_id, "notify": 1, "highlight": int(highlight),
    })


async def count_unread(database: Database, room: LiveRoom, user_id: str, after: int) -> Unread:
    """What ``user_id`` has not read of a room after a position."""
    notified = await database.fetch_one(
        select(func.count()).select_from(events).where(
            events.c.room == room.nid, events.c.stream > after, events.c.sender != user_id,
            events.c.flags.op("&")(NOTIFIES) != 0,
        )
    )
    highlighted = await database.fetch_one(
        select(func.coalesce(func.sum(event_notices.c.highlight), 0)).where(
            event_notices.c.user_id == user_id, event_notices.c.room_id == room.room_id, event_notices.c.stream > after,
        )
    )
    return Unread(int(notified[0]) if notified else 0, int(highlighted[0]) if highlighted else 0)
