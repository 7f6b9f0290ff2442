"""Table ``calendar_feeds``: SHA-256 of the secrets in the addresses, never the secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, insert, select, update

from server.storage.database import Database, Transaction, Writes, metadata

feeds: Final = Table(
    "calendar_feeds", metadata,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)
_USED: Final = update(feeds).where(feeds.c.hash == bindparam("known")).values(used_ms=bindparam("now"))


@dataclass(frozen=True, slots=True)
class Feed:
    """What may be shown of one. Times in ms since 1970; ``used_ms`` is right to the hour."""

    id: str
    user_id: str
    label: str
    created_ms: int
    used_ms: int | None


async def add(tx: Transaction, hashed: str, feed: Feed) -> None:
    """Store a new one."""
    await tx.execute(insert(feeds), {
        "hash": hashed, "id": feed.id, "user_id": feed.user_id, "label": feed.label, "created_ms": feed.created_ms,
        "used_ms": None,
    })


async def count_of(tx: Transaction, user_id: str) -> int:
    """How many a user has."""
    return int((await tx.execute(select(func.count()).where(feeds.c.user_id == user_id))).scalar_one())


async def find(database: Database, hashed: str) -> Feed | None:
    """The one with this hash."""
    row = await database.fetch_one(select(feeds).where(feeds.c.hash == hashed))
    return None if row is None else _as_feed(row)


async def of_user(database: Database, user_id: str) -> Sequence[Feed]:
    """All of a user, oldest first."""
    query = select(feeds).where(feeds.c.user_id == user_id).order_by(feeds.c.created_ms, feeds.c.id)
    return [_as_feed(row) for row in await database.fetch_all(query)]


async def remove(tx: Transaction, user_id: str, feed_id: str) -> bool:
    """Delete one; False if the user has none of that id."""
    gone = await tx.execute(delete(feeds).where(feeds.c.user_id == user_id, feeds.c.id == feed_id))
    return bool(gone.rowcount)


async def remove_all(tx: Transaction, user_id: str) -> None:
    """Delete all of a user."""
    await tx.execute(delete(feeds).where(feeds.c.user_id == user_id))


def note_use(writes: Writes, hashed: str, now_ms: int) -> None:
    """Store when it was last fetched."""
    writes.add(_USED, {"known": hashed, "now": now_ms})


def _as_feed(row: Any) -> Feed:
    return Feed(row.id, row.user_id, row.label, row.created_ms, row.used_ms)
