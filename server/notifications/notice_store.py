"""Table ``event_notices``: who is told of an event beyond what its ``notifies`` flag says to all."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, and_, bindparam, insert, select

from server.rooms.event_store import events, relations
from server.rooms.live_room import LiveRoom
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

# No client shows a higher number.
MOST_COUNTED: Final = 1_000

_INSERT: Final = insert(event_notices)
_IN_THREAD: Final = and_(relations.c.event_id == events.c.event_id, relations.c.rel_type == "m.thread")
_NOTICE: Final = and_(
    event_notices.c.user_id == bindparam("who"), event_notices.c.room_id == bindparam("room_id"),
    event_notices.c.stream == events.c.stream,
)
_NOTIFIED: Final = (
    select(events.c.stream, relations.c.target, event_notices.c.highlight)
    .select_from(events.outerjoin(relations, _IN_THREAD).outerjoin(event_notices, _NOTICE))
    .where(
        events.c.room == bindparam("nid"), events.c.stream > bindparam("after"), events.c.stream <= bindparam("until")
    )
    .where(events.c.sender != bindparam("who"), events.c.flags.op("&")(NOTIFIES) != 0)
    .order_by(events.c.stream.desc()).limit(MOST_COUNTED)
)


def add_notice(writes: Writes, room: LiveRoom, stream: int, user_id: str, *, highlight: bool) -> None:
    """``user_id`` is told of the event at ``stream``."""
    writes.add(_INSERT, {
        "stream": stream, "user_id": user_id, "room_id": room.room_id, "notify": 1, "highlight": int(highlight),
    })


async def notified_between(
    database: Database, room: LiveRoom, user_id: str, after: int, until: int
) -> list[tuple[int, str | None, bool]]:
    """``(stream, thread root, highlight)`` of what notifies ``user_id``, the newest ``MOST_COUNTED`` of it."""
    rows = await database.fetch_all(_NOTIFIED, {
        "who": user_id, "room_id": room.room_id, "nid": room.nid, "after": after, "until": until,
    })
    return [(int(row[0]), row[1], bool(row[2])) for row in rows]
