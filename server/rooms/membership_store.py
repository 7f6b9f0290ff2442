"""Table ``memberships``: every user's place in every room, as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, or_, select, update

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

memberships: Final = Table(
    "memberships", metadata,
    Column("user_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("membership", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("stream", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("forgotten", Integer, nullable=False),
)

_SET_MEMBERSHIP: Final = upsert(memberships)
_STAY: Final = upsert(memberships, replace=("event_id", "sender"))
_FORGET: Final = (
    update(memberships)
    .where(memberships.c.user_id == bindparam("who"), memberships.c.room_id == bindparam("where"))
    .where(or_(memberships.c.membership == "leave", memberships.c.membership == "ban")).values(forgotten=1)
)
_MEMBERSHIPS: Final = select(memberships).where(memberships.c.user_id == bindparam("who"))


class Membership(NamedTuple):
    """A user's place in a room, since which stream position, and by which event of whom.

    ``stream`` is when they came in (or went); changes of their name later do not move it.
    """

    room_id: str
    membership: str
    event_id: str
    stream: int
    sender: str
    forgotten: bool


def set_membership(writes: Writes, room: LiveRoom, event: Event, stream: int, replaced: Event | None) -> None:
    """Store what a member event says, which stands now in place of ``replaced``."""
    stays = event.content.get("membership") == "join" == (replaced.content if replaced else {}).get("membership")
    # Who stays and shows another name keeps the position since which they are here.
    writes.add(_STAY if stays else _SET_MEMBERSHIP, {
        "user_id": event.state_key, "room_id": room.room_id,
        "membership": str(event.content.get("membership", "leave")), "event_id": event.event_id,
        "stream": stream, "sender": event.sender, "forgotten": 0,
    })


def drop_membership(writes: Writes, room: LiveRoom, user_id: str, stream: int) -> None:
    """Store that no member event stands for a user any more."""
    writes.add(_SET_MEMBERSHIP, {
        "user_id": user_id, "room_id": room.room_id, "membership": "leave", "event_id": "", "stream": stream,
        "sender": user_id, "forgotten": 0,
    })


def forget_room(writes: Writes, user_id: str, room_id: str) -> None:
    """The user does not want to see this left room again."""
    writes.add(_FORGET, {"who": user_id, "where": room_id})


async def memberships_of(database: Database, user_id: str) -> list[Membership]:
    """All rooms of a user, also those left behind."""
    rows = await database.fetch_all(_MEMBERSHIPS, {"who": user_id})
    return [_as_membership(row) for row in rows]


async def users_who_share_rooms(
    database: Database, user_ids: Iterable[str], among: Iterable[str] | None = None
) -> set[str]:
    """Everybody who is in a room with one of ``user_ids``; only those of ``among`` where it is given."""
    theirs, others = memberships.alias("theirs"), memberships.alias("others")
    statement = (
        select(others.c.user_id).distinct()
        .select_from(theirs.join(others, theirs.c.room_id == others.c.room_id))
        .where(theirs.c.user_id.in_(list(user_ids)), theirs.c.membership == "join", others.c.membership == "join")
    )
    if among is not None:
        statement = statement.where(others.c.user_id.in_(list(among)))
    return {str(row[0]) for row in await database.fetch_all(statement)}


async def is_forgotten(database: Database, user_id: str, room_id: str) -> bool:
    """Whether a user does not want to see a left room again."""
    row = await database.fetch_one(
        select(memberships.c.forgotten).where(memberships.c.user_id == user_id, memberships.c.room_id == room_id)
    )
    return row is not None and bool(row[0])


def _as_membership(row: Any) -> Membership:
    return Membership(row.room_id, row.membership, row.event_id, row.stream, row.sender, bool(row.forgotten))
