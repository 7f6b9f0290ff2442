"""Reads table ``relations``: which events of a room have others that relate to them in a certain way."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from server.rooms.event_store import events, relations
from server.rooms.live_room import LiveRoom
from server.storage.database import Database


async def targets_of(
    database: Database, room: LiveRoom, rel_types: Sequence[str] | None, senders: Sequence[str] | None
) -> frozenset[str]:
    """Ids of the room's events to which another one relates, in one of these ways and by one of these senders."""
    query = (
        select(relations.c.target).distinct()
        .join(events, events.c.event_id == relations.c.event_id).where(events.c.room == room.nid)
    )
    if rel_types is not None:
        query = query.where(relations.c.rel_type.in_(rel_types))
    if senders is not None:
        query = query.where(relations.c.sender.in_(senders))
    return frozenset(row[0] for row in await database.fetch_all(query))
