"""Tables ``association_rooms`` (which room is which of ours) and ``rooms_due`` (whose rooms must still follow)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, Table, Text, bindparam, delete, select

from server.association.members.room_book import AssociationRoom, RoomBook
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

association_rooms: Final = Table(
    "association_rooms", metadata,
    Column("key", Text, primary_key=True),
    Column("room_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("linked", Integer, nullable=False),
)
rooms_due: Final = Table(
    "rooms_due", metadata,
    Column("person_id", Text, primary_key=True),
    Column("mark", Text, nullable=False),
)
_PUT: Final = upsert(association_rooms)
_DROP: Final = delete(association_rooms).where(association_rooms.c.key == bindparam("which"))
_PUT_DUE: Final = upsert(rooms_due)
_DROP_DUE: Final = delete(rooms_due).where(
    rooms_due.c.person_id == bindparam("who"), rooms_due.c.mark == bindparam("seen")
)


async def load_rooms(database: Database) -> RoomBook:
    """All rooms of the association."""
    book = RoomBook()
    for row in await database.fetch_all(select(association_rooms)):
        book.enter(AssociationRoom(row.key, row.room_id, row.name, bool(row.linked)))
    return book


def put_room(writes: Writes, room: AssociationRoom) -> None:
    """Store which room is the one of its key."""
    writes.add(_PUT, {"key": room.key, "room_id": room.room_id, "name": room.name, "linked": int(room.is_linked)})


def drop_room(writes: Writes, key: str) -> None:
    """Forget the room of ``key``; the room itself stays."""
    writes.add(_DROP, {"which": key})


async def load_due(database: Database) -> dict[str, str]:
    """Persons whose rooms must still follow, with the mark of their last change."""
    return {row.person_id: row.mark for row in await database.fetch_all(select(rooms_due))}


def put_due(writes: Writes, person_id: str, mark: str) -> None:
    """Store that a person's rooms must follow the change ``mark``."""
    writes.add(_PUT_DUE, {"person_id": person_id, "mark": mark})


def drop_due(writes: Writes, person_id: str, mark: str) -> None:
    """They have followed; a later change than ``mark`` stays due."""
    writes.add(_DROP_DUE, {"who": person_id, "seen": mark})
