"""Table ``notice_rooms``: in which room the node tells each of its people what they must know."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

notice_rooms: Final = Table(
    "notice_rooms", metadata,
    Column("user_id", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
)
_PUT: Final = upsert(notice_rooms)
_FORGET: Final = delete(notice_rooms).where(notice_rooms.c.user_id == bindparam("who"))


async def find_room(database: Database, user_id: str) -> str | None:
    """The room of a user, if there is one yet."""
    row = await database.fetch_one(select(notice_rooms.c.room_id).where(notice_rooms.c.user_id == user_id))
    return None if row is None else str(row[0])


def put_room(writes: Writes, user_id: str, room_id: str) -> None:
    """Store which room is a user's."""
    writes.add(_PUT, {"user_id": user_id, "room_id": room_id})


def forget_room(writes: Writes, user_id: str) -> None:
    """A user needs none any more."""
    writes.add(_FORGET, {"who": user_id})
