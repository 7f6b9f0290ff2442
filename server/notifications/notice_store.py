"""Table ``event_notices``: who is told of an event otherwise than its flags say to all."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)

from server.notifications.outcomes import TOLD_OTHERWISE, Outcome, actions_kept
from server.rooms.event_store import events, relations
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import receipts
from server.rooms.state_store import rooms
from server.rooms.timeline import NOTIFIES
from server.storage.database import Database, Writes, metadata

event_notices: Final = Table(
    "event_notices", metadata,
    Column("stream", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", Text, primary_key=True),
    Column("notify", Integer, nullable=False),
    Column("highlight", Integer, nullable=False),
    # JSON; NULL for the actions of the most frequent rules, see outcomes.py.
    Column("actions", Text),
)

# No client shows a higher number.
MOST_COUNTED: Final = 1_000

_INSERT: Final = insert(event_notices)


# Joins an event with the row of the user ``:who``, where there is one.
NOTICE: Final = and_(event_notices.c.stream == events.c.stream, event_notices.c.user_id == bindparam("who"))
# What notifies ``:who``, given the joined row; the first part lets most silent events go without looking for a row.
NOTIFIES_WHO: Final = and_(
    events.c.flags.op("&")(NOTIFIES | TOLD_OTHERWISE) != 0,
    func.coalesce(event_notices.c.notify, events.c.flags.op("&")(NOTIFIES)) != 0,
    events.c.sender != bindparam("who"),
)

_IN_THREAD: Final = and_(relations.c.event_id == events.c.event_id, relations.c.rel_type == "m.thread")
_NOTIFIED: Final = (
    select(events.c.stream, relations.c.target, events.c.flags, event_notices.c.highlight)
    .select_from(events.outerjoin(relations, _IN_THREAD).outerjoin(event_notices, NOTICE))
    .where(
        events.c.room == bindparam("nid"), events.c.stream > bindparam("after"), events.c.stream <= bindparam("until")
    )
    .where(NOTIFIES_WHO).order_by(events.c.stream.desc()).limit(MOST_COUNTED)
)

_MINE: Final = and_(receipts.c.room_id == bindparam("room_id"), receipts.c.user_id == bindparam("who"))
_READ_ALL: Final = (
    select(func.coalesce(func.max(receipts.c.event_stream), 0)).where(_MINE, receipts.c.thread_id == "")
    .scalar_subquery()
)
_READ_THREAD: Final = (
    select(receipts.c.event_stream).where(_MINE, receipts.c.event_stream >= events.c.stream)
    .where(receipts.c.thread_id == func.coalesce(relations.c.target, "main"))
).exists()
# Who says something has read what was said before it, there (spec: "Receiving notifications").
_own: Final = events.alias("own")
_own_relation: Final = relations.alias("own_relation")
# A literal: PostgreSQL takes two parameters for two different things, also where both are the same word.
_THREAD: Final = func.coalesce(_own_relation.c.target, literal_column("'main'"))
_OWN_LATEST: Final = (
    select(
        _THREAD.label("thread"), func.max(_own.c.stream).label("stream"),
    )
    .select_from(
        _own.join(rooms, rooms.c.nid == _own.c.room).outerjoin(
            _own_relation,
            and_(_own_relation.c.event_id == _own.c.event_id, _own_relation.c.rel_type == "m.thread"),
        )
    )
    .where(
        rooms.c.room_id == bindparam("room_id"), _own.c.stream > bindparam("after"),
        _own.c.sender == bindparam("who"), _own.c.state_key.is_(None),
    )
    .group_by(_THREAD)
)
_OWN: Final = _OWN_LATEST.cte("own_latest")
_SPOKEN_SINCE: Final = (
    select(_OWN.c.stream)
    .where(_OWN.c.thread == func.coalesce(relations.c.target, "main"), _OWN.c.stream > events.c.stream)
    .exists()
)
_UNREAD: Final = (
    select(events.c.stream)
    .select_from(
        events.join(rooms, rooms.c.nid == events.c.room).outerjoin(relations, _IN_THREAD)
        .outerjoin(event_notices, NOTICE)
    )
    .where(rooms.c.room_id == bindparam("room_id"), events.c.stream > bindparam("after"), events.c.stream > _READ_ALL)
    .where(NOTIFIES_WHO, ~_READ_THREAD, ~_SPOKEN_SINCE).limit(MOST_COUNTED)
)
_COUNT_UNREAD: Final = select(func.count()).select_from(_UNREAD.subquery())


def add_notice(writes: Writes, stream: int, user_id: str, outcome: Outcome) -> None:
    """``user_id`` is told of the event at ``stream`` what ``outcome`` says."""
    writes.add(_INSERT, {
        "stream": stream, "user_id": user_id, "notify": int(outcome.notify), "highlight": int(outcome.highlight),
        "actions": actions_kept(outcome),
    })


async def notified_between(
    database: Database, room: LiveRoom, user_id: str, after: int, until: int
) -> list[tuple[int, str | None, int, int | None]]:
    """``(stream, thread root, flags, highlight)`` of what notifies ``user_id``, the newest ``MOST_COUNTED`` of it.

    ``highlight`` is ``None`` where the flags of the event say it.
    """
    rows = await database.fetch_all(_NOTIFIED, {
        "who": user_id, "nid": room.nid, "after": after, "until": until,
    })
    return [(int(row[0]), row[1], int(row[2]), row[3]) for row in rows]


async def own_latest(database: Database, room_id: str, user_id: str, after: int) -> dict[str, int]:
    """The positions of the last that ``user_id`` has said after a position, by thread: ``main`` and roots."""
    rows = await database.fetch_all(_OWN_LATEST, {"who": user_id, "room_id": room_id, "after": after})
    return {str(row[0]): int(row[1]) for row in rows}


async def count_unread(database: Database, room_id: str, user_id: str, came_in: int) -> int:
    """What a member who came in at a position has not read, ``MOST_COUNTED`` at most; the room is not loaded."""
    row = await database.fetch_one(_COUNT_UNREAD, {"who": user_id, "room_id": room_id, "after": came_in})
    return 0 if row is None else int(row[0])
