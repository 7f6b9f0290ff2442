"""Where guests are: read from ``memberships`` and ``users``, nothing of its own."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from server.accounts.users_store import users
from server.rooms.membership_store import memberships
from server.storage.database import Database

_GUESTS_IN_ROOMS: Final = (
    select(users.c.user_id, memberships.c.room_id)
    .select_from(users.join(memberships, users.c.user_id == memberships.c.user_id))
    .where(users.c.guest == 1, memberships.c.membership == "join")
    .order_by(memberships.c.room_id)
)


async def guests_in_rooms(database: Database) -> list[tuple[str, str]]:
    """``(user id, room id)`` of every guest of this node in every room that they are in."""
    return [(str(row[0]), str(row[1])) for row in await database.fetch_all(_GUESTS_IN_ROOMS)]
