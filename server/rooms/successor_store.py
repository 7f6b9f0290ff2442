"""Table ``successor_moves``: who has joined the successor of a room, and has not yet got there what they had before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

successor_moves: Final = Table(
    "successor_moves", metadata,
    Column("new_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("old_id", Text, nullable=False),
)
_PUT: Final = upsert(successor_moves)
_REMOVE: Final = delete(successor_moves).where(
    successor_moves.c.new_id == bindparam("to_room"), successor_moves.c.user_id == bindparam("who")
)


def put_move(writes: Writes, old_id: str, new_id: str, user_id: str) -> None:
    """Something is to be moved."""
    writes.add(_PUT, {"new_id": new_id, "user_id": user_id, "old_id": old_id})


def remove_move(writes: Writes, new_id: str, user_id: str) -> None:
    """It has been moved, or never was to be."""
    writes.add(_REMOVE, {"to_room": new_id, "who": user_id})


async def moves_left(database: Database) -> list[tuple[str, str, str]]:
    """``(old room, new room, user)`` of what a stop of the node has left undone."""
    table = successor_moves.c
    rows = await database.fetch_all(select(table.old_id, table.new_id, table.user_id).order_by(table.new_id))
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]
