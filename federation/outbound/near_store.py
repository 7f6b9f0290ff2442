"""Questions about memberships: who of other servers is near to us, and which servers are near to our people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select

from server.rooms.membership_store import memberships
from server.storage.database import Database

_MOST: Final = 500


async def near_to_us(
    database: Database, user_ids: Sequence[str], server_name: str, besides: str = ""
) -> set[str]:
    """Those of ``user_ids`` who share a room with one of our people, another one than the room ``besides``."""
    theirs, ours = memberships.alias("theirs"), memberships.alias("ours")
    found: set[str] = set()
    for start in range(0, len(user_ids), _MOST):
        rows = await database.fetch_all(
            select(theirs.c.user_id).distinct()
            .select_from(theirs.join(ours, theirs.c.room_id == ours.c.room_id))
            .where(theirs.c.user_id.in_(list(user_ids[start:start + _MOST])), theirs.c.membership == "join",
                   ours.c.membership == "join", _of(ours.c.user_id, server_name), theirs.c.room_id != besides)
        )
        found.update(str(row[0]) for row in rows)
    return found


async def small_shared_rooms(database: Database, server_name: str, largest: int) -> list[tuple[str, str]]:
    """``(room id, user id)`` of everybody of other servers who is in a room of at most ``largest`` members."""
    large = (
        select(memberships.c.room_id).where(memberships.c.membership == "join").group_by(memberships.c.room_id)
        .having(func.count() > largest)
    )
    rows = await database.fetch_all(
        select(memberships.c.room_id, memberships.c.user_id).where(
            memberships.c.membership == "join", ~_of(memberships.c.user_id, server_name),
            memberships.c.room_id.not_in(large),
        )
    )
    return [(str(row[0]), str(row[1])) for row in rows]


def _of(column: ColumnElement[str], server_name: str) -> ColumnElement[bool]:
    return column.endswith(f":{server_name}", autoescape=True)
