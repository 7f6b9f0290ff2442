"""What lists must know of rooms that are not in memory, without loading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select

from server.foundation.canonical_json import parse_json
from server.rooms.event_store import SEEN, events
from server.rooms.state_store import current_state, rooms
from server.rooms.timeline import text_of
from server.storage.database import Database

# SQLite takes so many values in one statement on every system.
_ASKED_TOGETHER: Final = 500


class Outline(NamedTuple):
    """What a room is, as it stands on disk."""

    room_type: str | None
    is_encrypted: bool


_newest: Final = (
    select(events.c.stream).where(events.c.room == rooms.c.nid, SEEN)
    .order_by(events.c.stream.desc()).limit(1).correlate(rooms).scalar_subquery()
)
_created: Final = (
    select(events.c.json)
    .select_from(current_state.join(events, current_state.c.event_id == events.c.event_id))
    .where(current_state.c.room == rooms.c.nid, current_state.c.type == "m.room.create")
    .where(current_state.c.state_key == "").correlate(rooms).scalar_subquery()
)
_encrypted: Final = (
    select(current_state.c.event_id)
    .where(current_state.c.room == rooms.c.nid, current_state.c.type == "m.room.encryption")
    .where(current_state.c.state_key == "").correlate(rooms).scalar_subquery()
)
_ACTIVITIES: Final = (
    select(rooms.c.room_id, _newest).where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
)
_OUTLINES: Final = (
    select(rooms.c.room_id, _created, _encrypted)
    .where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
)
_NAMES: Final = (
    select(rooms.c.room_id, events.c.json)
    .select_from(
        rooms.join(current_state, current_state.c.room == rooms.c.nid)
        .join(events, current_state.c.event_id == events.c.event_id)
    )
    .where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
    .where(current_state.c.type == "m.room.name", current_state.c.state_key == "")
)


async def names_of(database: Database, room_ids: Sequence[str]) -> dict[str, str]:
    """The names that these rooms were given."""
    found: dict[str, str] = {}
    for start in range(0, len(room_ids), _ASKED_TOGETHER):
        some = room_ids[start:start + _ASKED_TOGETHER]
        for room_id, stored in await database.fetch_all(_NAMES, {"room_ids": some}):
            found[room_id] = text_of(parse_json(stored)["content"], "name")
    return found


async def activities_of(database: Database, room_ids: Sequence[str]) -> dict[str, int]:
    """The positions of the last events of those of these rooms that this node has."""
    found: dict[str, int] = {}
    for start in range(0, len(room_ids), _ASKED_TOGETHER):
        some = room_ids[start:start + _ASKED_TOGETHER]
        for room_id, activity in await database.fetch_all(_ACTIVITIES, {"room_ids": some}):
            found[room_id] = activity or 0
    return found


async def outlines_of(database: Database, room_ids: Sequence[str]) -> dict[str, Outline]:
    """The outlines of those of these rooms that this node has."""
    found: dict[str, Outline] = {}
    for start in range(0, len(room_ids), _ASKED_TOGETHER):
        some = room_ids[start:start + _ASKED_TOGETHER]
        for room_id, created, encryption in await database.fetch_all(_OUTLINES, {"room_ids": some}):
            kind = parse_json(created)["content"].get("type") if created is not None else None
            found[room_id] = Outline(kind if isinstance(kind, str) else None, encryption is not None)
    return found
