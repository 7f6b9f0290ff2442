"""What lists must know of rooms that are not in memory, without loading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from server.foundation.canonical_json import parse_json
from server.rooms.event_store import SEEN, events
from server.rooms.state_store import current_state, rooms
from server.storage.database import Database

# SQLite takes so many values in one statement on every system.
_ASKED_TOGETHER: Final = 500


class Outline(NamedTuple):
    """A room as it stands on disk. ``activity`` is the position of its last event."""

    room_id: str
    activity: int
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
_OUTLINES: Final = (
    select(rooms.c.room_id, _newest, _created, _encrypted)
    .where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
)


async def outlines_of(database: Database, room_ids: Sequence[str]) -> list[Outline]:
    """The outlines of those of these rooms that this node has."""
    found: list[Outline] = []
    for start in range(0, len(room_ids), _ASKED_TOGETHER):
        some = room_ids[start:start + _ASKED_TOGETHER]
        found += [_outline(row) for row in await database.fetch_all(_OUTLINES, {"room_ids": some})]
    return found


def _outline(row: Any) -> Outline:
    room_id, activity, created, encryption = row
    kind = parse_json(created)["content"].get("type") if created is not None else None
    return Outline(room_id, activity or 0, kind if isinstance(kind, str) else None, encryption is not None)
