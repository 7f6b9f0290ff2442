"""Finding the event nearest to a moment (spec: ``timestamp_to_event``)."""

from __future__ import annotations

from typing import Final

from server.foundation.errors import NotFound
from server.rooms.event_store import entry_of
from server.rooms.history import History
from server.rooms.moment_store import events_by_time
from server.rooms.timeline import Entry
from server.storage.database import Database

_MOST_STEPS: Final = 20


async def event_at(
    database: Database, history: History, room_id: str, user_id: str, ts: int, *, backwards: bool
) -> Entry:
    """The event that the user sees nearest to ``ts`` (milliseconds), before or after it.

    Raises ``Forbidden``, and ``NotFound`` where there is none.
    """
    room, sight = await history.access(room_id, user_id)
    place = (ts, 2**62 if backwards else 0)
    for _ in range(_MOST_STEPS):
        rows = await events_by_time(database, room, place, backwards=backwards)
        for event_id, stream in ((row[0], row[2]) for row in rows):
            entry = await entry_of(database, room, event_id) if sight.sees(stream) else None
            if entry is not None:
                return sight.shown(entry)
        if not rows:
            break
        place = (rows[-1][1], rows[-1][2])
    raise NotFound("There is no event of that time")
