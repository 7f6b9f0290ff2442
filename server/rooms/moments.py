"""Finding the event nearest to a moment (spec: ``timestamp_to_event``).

Where a piece of the room's past is missing just there, other servers are asked, and what they know is fetched.
"""

from __future__ import annotations

from typing import Final

from server.foundation.errors import NotFound
from server.rooms.event_store import entry_of
from server.rooms.graph_store import back_edges_of
from server.rooms.history import BEGINNING, History
from server.rooms.live_room import LiveRoom
from server.rooms.moment_store import events_by_time
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.rooms.visibility import Sight
from server.storage.database import Database

_MOST_STEPS: Final = 20


async def event_at(
    database: Database, history: History, room_id: str, user_id: str, ts: int, *, backwards: bool
) -> Entry:
    """The event that the user sees nearest to ``ts`` (milliseconds), before or after it.

    Raises ``Forbidden``, and ``NotFound`` where there is none.
    """
    room, sight = await history.access(room_id, user_id)
    far = None
    if await _is_in_a_gap(database, room, ts):
        far_id = await history.far.find_moment(room, ts, backwards=backwards)
        far = await _visible(database, room, sight, far_id) if far_id is not None else None
    # After that more may be known here, too.
    own = await _own(database, room, sight, ts, backwards=backwards)
    fitting = [entry for entry in (own, far) if entry is not None and _is_beyond(entry, ts, backwards=backwards)]
    if not fitting:
        raise NotFound("There is no event of that time")
    return sight.shown(min(fitting, key=lambda entry: abs(entry.event.origin_server_ts - ts)))


async def _own(database: Database, room: LiveRoom, sight: Sight, ts: int, *, backwards: bool) -> Entry | None:
    place = (ts, -BEGINNING if backwards else BEGINNING)
    for _ in range(_MOST_STEPS):
        rows = await events_by_time(database, room, place, backwards=backwards)
        for event_id, stream in ((row[0], row[2]) for row in rows):
            entry = await entry_of(database, room, event_id) if sight.sees(stream) else None
            if entry is not None:
                return entry
        if not rows:
            break
        place = (rows[-1][1], rows[-1][2])
    return None


async def _is_in_a_gap(database: Database, room: LiveRoom, ts: int) -> bool:
    """Whether events that we do not know may lie about ``ts``: before all that we know, or just before the next."""
    if len(room.joined) == len(room.joined_here):
        return False
    edges = set(await back_edges_of(database, room))
    if not edges:
        return False
    if not await events_by_time(database, room, (ts, -BEGINNING), backwards=True):
        return True
    after = await events_by_time(database, room, (ts, BEGINNING), backwards=False)
    following = await entry_of(database, room, after[0][0]) if after else None
    return following is not None and not edges.isdisjoint(following.event.prev_events)


async def _visible(database: Database, room: LiveRoom, sight: Sight, event_id: str) -> Entry | None:
    entry = await entry_of(database, room, event_id)
    if entry is None or entry.flags & (REJECTED | SOFT_FAILED) or not sight.sees(entry.stream):
        return None
    return entry


def _is_beyond(entry: Entry, ts: int, *, backwards: bool) -> bool:
    found = entry.event.origin_server_ts
    return found <= ts if backwards else found >= ts
