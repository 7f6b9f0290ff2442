"""Tables ``events`` and ``event_notices`` as one user's list of what they were told of."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, and_, bindparam, func, or_, select

from server.notifications.notice_store import NOTICE, NOTIFIES_WHO, event_notices
from server.notifications.outcomes import HIGHLIGHTS, Outcome, from_flags, from_row
from server.rooms.event_store import events
from server.rooms.membership_store import memberships
from server.rooms.state_store import rooms
from server.storage.database import Database

# Members are told of what came after them, invited people of their invitation.
_MINE: Final = and_(
    memberships.c.room_id == rooms.c.room_id, memberships.c.user_id == bindparam("who"),
    or_(
        and_(memberships.c.membership == "join", memberships.c.stream < events.c.stream),
        and_(memberships.c.membership == "invite", memberships.c.stream == events.c.stream),
    ),
)
_TOLD: Final = (
    select(
        events.c.stream, events.c.event_id, rooms.c.room_id, events.c.type, events.c.flags,
        event_notices.c.notify, event_notices.c.highlight, event_notices.c.actions,
    )
    .select_from(
        events.join(rooms, rooms.c.nid == events.c.room).join(memberships, _MINE)
        .outerjoin(event_notices, NOTICE)
    )
    .where(events.c.stream > bindparam("after"), events.c.stream < bindparam("before"))
    .where(NOTIFIES_WHO).limit(bindparam("most", type_=Integer))
)
_NEWEST: Final = _TOLD.order_by(events.c.stream.desc())
_NEWEST_HIGHLIGHTS: Final = _NEWEST.where(
    func.coalesce(event_notices.c.highlight, events.c.flags.op("&")(HIGHLIGHTS)) != 0
)
_OLDEST: Final = _TOLD.order_by(events.c.stream)
_EARLIER: Final = (
    select(events.c.stream).where(events.c.stream < bindparam("before")).order_by(events.c.stream.desc())
    .limit(1).offset(bindparam("many", type_=Integer))
)


class Told(NamedTuple):
    """An event that a user was told of, and how."""

    stream: int
    event_id: str
    room_id: str
    outcome: Outcome


async def told_between(
    database: Database, user_id: str, after: int, before: int, most: int, *, only_highlights: bool
) -> list[Told]:
    """What a user was told of with ``after < stream < before`` since they came into its room, the newest first."""
    asked = {"who": user_id, "after": after, "before": before, "most": most}
    rows = await database.fetch_all(_NEWEST_HIGHLIGHTS if only_highlights else _NEWEST, asked)
    return [_as_told(row) for row in rows]


async def position_before(database: Database, before: int, events_between: int) -> int:
    """A position with so many events of the node between it and ``before``; 0 where there are not as many."""
    row = await database.fetch_one(_EARLIER, {"before": before, "many": events_between})
    return 0 if row is None else int(row[0])


async def told_after(database: Database, user_id: str, after: int, until: int, most: int) -> list[Told]:
    """The first ``most`` of what a user was told of with ``after < stream <= until``, oldest first."""
    rows = await database.fetch_all(_OLDEST, {"who": user_id, "after": after, "before": until + 1, "most": most})
    return [_as_told(row) for row in rows]


def _as_told(row: Any) -> Told:
    if row.notify is None:
        outcome = from_flags(row.flags, row.type)
    else:
        outcome = from_row(row.notify, row.highlight, row.actions)
    return Told(int(row.stream), str(row.event_id), str(row.room_id), outcome)
