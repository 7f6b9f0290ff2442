"""Table ``events`` in the order of its senders' clocks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, or_, select

from server.rooms.event_store import SEEN, events
from server.rooms.live_room import LiveRoom
from server.storage.database import Database

_AT_ONCE: Final = 50


async def events_by_time(
    database: Database, room: LiveRoom, place: tuple[int, int], *, backwards: bool
) -> list[tuple[str, int, int]]:
    """``(event id, time in milliseconds, position)`` of some events on from ``place``, a time and a position there."""
    ts, stream = events.c.ts, events.c.stream
    at, after = place
    asked = select(events.c.event_id, ts, stream).where(events.c.room == room.nid, SEEN)
    if backwards:
        asked = asked.where(or_(ts < at, and_(ts == at, stream < after))).where(ts <= at)
        asked = asked.order_by(ts.desc(), stream.desc())
    else:
        asked = asked.where(or_(ts > at, and_(ts == at, stream > after))).where(ts >= at).order_by(ts, stream)
    rows = await database.fetch_all(asked.limit(_AT_ONCE))
    return [(str(row[0]), int(row[1]), int(row[2])) for row in rows]
