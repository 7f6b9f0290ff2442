"""Tables ``events`` and ``event_notices`` as one member's list of what they were told of."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Integer, and_, bindparam, select

from server.notifications.notice_store import event_notices
from server.rooms.event_store import events
from server.rooms.state_store import memberships, rooms
from server.rooms.timeline import NOTIFIES
from server.storage.database import Database

_NOTICE: Final = and_(
    event_notices.c.user_id == bindparam("who"), event_notices.c.room_id == rooms.c.room_id,
    event_notices.c.stream == events.c.stream,
)
_MINE: Final = and_(
    memberships.c.room_id == rooms.c.room_id, memberships.c.user_id == bindparam("who"),
    memberships.c.membership == "join", memberships.c.stream < events.c.stream,
)
_TOLD: Final = (
    select(events.c.stream, events.c.event_id, rooms.c.room_id, event_notices.c.highlight)
    .select_from(
        events.join(rooms, rooms.c.nid == events.c.room).join(memberships, _MINE).outerjoin(event_notices, _NOTICE)
    )
    .where(events.c.stream > bindparam("after"), events.c.stream < bindparam("before"))
    .where(events.c.sender != bindparam("who"), events.c.flags.op("&")(NOTIFIES) != 0)
    .order_by(events.c.stream.desc()).limit(bindparam("most", type_=Integer))
)
_HIGHLIGHTS: Final = _TOLD.where(event_notices.c.highlight == 1)


class Told(NamedTuple):
    """An event that a member was told of."""

    stream: int
    event_id: str
    room_id: str
    highlight: bool


async def told_between(
    database: Database, user_id: str, after: int, before: int, most: int, *, only_highlights: bool
) -> list[Told]:
    """What a member was told of with ``after < stream < before`` since they came into its room, the newest first."""
    asked = {"who": user_id, "after": after, "before": before, "most": most}
    rows = await database.fetch_all(_HIGHLIGHTS if only_highlights else _TOLD, asked)
    return [Told(int(row[0]), str(row[1]), str(row[2]), bool(row[3])) for row in rows]
