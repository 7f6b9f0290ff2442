"""Tables ``account_data`` and ``filters``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, func, insert, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

account_data: Final = Table(
    "account_data", metadata,
    Column("user_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("stream", BigInteger, nullable=False),
)
filters: Final = Table(
    "filters", metadata,
    Column("user_id", Text, primary_key=True),
    Column("filter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("json", LargeBinary, nullable=False),
)

_SET: Final = upsert(account_data, only_if="excluded.stream > account_data.stream")
_DROP_ALL: Final = delete(account_data).where(account_data.c.user_id == bindparam("who"))
_ADD_FILTER: Final = insert(filters)
_DROP_FILTER: Final = delete(filters).where(
    filters.c.user_id == bindparam("who"), filters.c.filter_id == bindparam("number")
)


@dataclass(frozen=True, slots=True)
class AccountDataItem:
    """One thing that a client keeps here. ``room_id`` is empty where it belongs to no room; ``content`` is JSON."""

    room_id: str
    type: str
    content: bytes
    stream: int


def set_item(writes: Writes, user_id: str, item: AccountDataItem) -> None:
    """Store an item over the one of its type."""
    writes.add(_SET, {
        "user_id": user_id, "room_id": item.room_id, "type": item.type, "content": item.content,
        "stream": item.stream,
    })


def drop_items(writes: Writes, user_id: str) -> None:
    """Forget all items of a user."""
    writes.add(_DROP_ALL, {"who": user_id})


async def find_item(database: Database, user_id: str, room_id: str, kind: str) -> AccountDataItem | None:
    """One item."""
    row = await database.fetch_one(
        select(account_data).where(
            account_data.c.user_id == user_id, account_data.c.room_id == room_id, account_data.c.type == kind
        )
    )
    return None if row is None else _as_item(row)


async def items_between(database: Database, user_id: str, after: int, until: int) -> list[AccountDataItem]:
    """A user's items with ``after < stream <= until``, oldest change first."""
    rows = await database.fetch_all(
        select(account_data)
        .where(account_data.c.user_id == user_id, account_data.c.stream > after, account_data.c.stream <= until)
        .order_by(account_data.c.stream)
    )
    return [_as_item(row) for row in rows]


async def items_of_type(database: Database, kinds: Sequence[str]) -> list[tuple[str, AccountDataItem]]:
    """``(user id, item)`` of all users' items of these types that belong to no room."""
    rows = await database.fetch_all(
        select(account_data).where(account_data.c.room_id == "", account_data.c.type.in_(kinds))
    )
    return [(row.user_id, _as_item(row)) for row in rows]


async def last_positions(database: Database) -> dict[str, int]:
    """The position of each user's latest change."""
    rows = await database.fetch_all(
        select(account_data.c.user_id, func.max(account_data.c.stream)).group_by(account_data.c.user_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def add_filter(writes: Writes, user_id: str, filter_id: int, json: bytes) -> None:
    """Store a filter under a number of its user's own."""
    writes.add(_ADD_FILTER, {"user_id": user_id, "filter_id": filter_id, "json": json})


def drop_filter(writes: Writes, user_id: str, filter_id: int) -> None:
    """Forget a filter."""
    writes.add(_DROP_FILTER, {"who": user_id, "number": filter_id})


async def filters_of(database: Database, user_id: str) -> list[tuple[int, bytes]]:
    """``(number, JSON)`` of all filters of a user, in order."""
    rows = await database.fetch_all(
        select(filters.c.filter_id, filters.c.json).where(filters.c.user_id == user_id).order_by(filters.c.filter_id)
    )
    return [(row[0], row[1]) for row in rows]


def _as_item(row: Any) -> AccountDataItem:
    return AccountDataItem(row.room_id, row.type, row.content, row.stream)
