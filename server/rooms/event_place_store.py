"""In which room an event is, for those who know only its id."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from server.rooms.event_store import events
from server.rooms.state_store import rooms
from server.storage.database import Database

_ROOM_OF: Final = (
    select(rooms.c.room_id).join(events, events.c.room == rooms.c.nid).where(events.c.event_id == bindparam("event"))
)


async def room_id_of_event(database: Database, event_id: str) -> str | None:
    """The room of an event; ``None`` of an event that nobody knows here."""
    row = await database.fetch_one(_ROOM_OF, {"event": event_id})
    return None if row is None else str(row[0])
