"""Questions to table ``memberships``: which other servers have people in rooms here."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from server.foundation.ids import server_name_of
from server.rooms.membership_store import memberships
from server.storage.database import Database


async def is_anybody_far(database: Database, server_name: str) -> bool:
    """Whether somebody of another server is in a room."""
    return await database.fetch_one(select(memberships.c.user_id).where(_is_far(server_name)).limit(1)) is not None


async def servers_with_members(database: Database, server_name: str) -> list[str]:
    """The other servers."""
    rows = await database.fetch_all(select(memberships.c.user_id).distinct().where(_is_far(server_name)))
    return sorted({server_name_of(str(row[0])) for row in rows})


def _is_far(server_name: str) -> ColumnElement[bool]:
    is_ours = memberships.c.user_id.endswith(f":{server_name}", autoescape=True)
    return and_(memberships.c.membership == "join", ~is_ours)
