"""Table ``association_rooms``: which room of the node is which of the association's."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Table, Text, bindparam, delete, select

from server.association.members.room_book import RoomBook
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

association_rooms: Final = Table(
    "association_rooms", metadata,
    Column("key", Text, primary_key=True),
    Column("room_id", Text, nullable=False, unique=True),
)
_PUT: Final = upsert(association_rooms)
_DROP: Final = delete(association_rooms).where(association_rooms.c.key == bindparam("which"))


async def load_rooms(database: Database) -> RoomBook:
    """All of them."""
    book = RoomBook()
    for row in await database.fetch_all(select(association_rooms)):
        book.enter(row.key, row.room_id)
    return book


def put_room(writes: Writes, key: str, room_id: str) -> None:
    """Store which room is the one of ``key``."""
    writes.add(_PUT, {"key": key, "room_id": room_id})


def drop_room(writes: Writes, key: str) -> None:
    """Forget the room of ``key``; the room itself stays."""
    writes.add(_DROP, {"which": key})
