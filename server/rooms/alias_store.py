"""Table ``aliases``: the names under which rooms are found."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Column, Table, Text, bindparam, delete, insert, select, update

from server.storage.database import Database, Transaction, Writes, metadata

aliases: Final = Table(
    "aliases", metadata,
    Column("alias", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("creator", Text, nullable=False),
)


_INSERT: Final = insert(aliases)
_MOVE: Final = update(aliases).where(aliases.c.room_id == bindparam("old")).values(room_id=bindparam("new"))


class Alias(NamedTuple):
    """A room's name, and who gave it."""

    alias: str
    room_id: str
    creator: str


async def find_alias(database: Database, alias: str) -> Alias | None:
    """What an alias stands for."""
    row = await database.fetch_one(select(aliases).where(aliases.c.alias == alias))
    return None if row is None else Alias(**row._mapping)


async def find_alias_in(tx: Transaction, alias: str) -> Alias | None:
    """What an alias stands for, inside a transaction."""
    row = (await tx.execute(select(aliases).where(aliases.c.alias == alias))).first()
    return None if row is None else Alias(**row._mapping)


async def add_alias(tx: Transaction, alias: Alias) -> None:
    """Store a new alias."""
    await tx.execute(_INSERT, alias._asdict())


def add_alias_with(writes: Writes, alias: Alias) -> None:
    """Store a new alias together with other rows."""
    writes.add(_INSERT, alias._asdict())


def move_aliases(writes: Writes, old_room_id: str, new_room_id: str) -> None:
    """All names of a room stand for another one from now on."""
    writes.add(_MOVE, {"old": old_room_id, "new": new_room_id})


async def remove_alias(tx: Transaction, alias: str) -> None:
    """Forget an alias."""
    await tx.execute(delete(aliases).where(aliases.c.alias == alias))


async def aliases_of_room(database: Database, room_id: str) -> list[str]:
    """All aliases of a room."""
    rows = await database.fetch_all(
        select(aliases.c.alias).where(aliases.c.room_id == room_id).order_by(aliases.c.alias)
    )
    return [str(row[0]) for row in rows]
