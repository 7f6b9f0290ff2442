"""Questions about memberships that presence asks."""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern
from typing import Final

from sqlalchemy import bindparam, func, select

from server.rooms.membership_store import memberships
from server.storage.database import Database

_MOST: Final = 500

_LARGE: Final = (
    select(memberships.c.room_id).where(memberships.c.membership == "join").group_by(memberships.c.room_id)
    .having(func.count() > bindparam("largest"))
)
_SMALL_OF: Final = select(memberships.c.user_id, memberships.c.room_id).where(
    memberships.c.user_id.in_(bindparam("user_ids", expanding=True)), memberships.c.membership == "join",
    memberships.c.room_id.not_in(_LARGE),
)


async def small_rooms_of(database: Database, user_ids: Sequence[str], largest: int) -> dict[str, set[str]]:
    """The rooms that these users are in, without those of more than ``largest`` members."""
    found: dict[str, set[str]] = {user_id: set() for user_id in user_ids}
    for start in range(0, len(user_ids), _MOST):
        asked = {"user_ids": list(user_ids[start:start + _MOST]), "largest": largest}
        for user_id, room_id in await database.fetch_all(_SMALL_OF, asked):
            found[user_id].add(intern(room_id))
    return found
