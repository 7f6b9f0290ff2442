"""Table ``device_list_changes``: the latest change of each user's devices."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

device_list_changes: Final = Table(
    "device_list_changes", metadata,
    Column("user_id", Text, primary_key=True),
    Column("stream", BigInteger, nullable=False),
)

_SET: Final = upsert(device_list_changes, only_if="excluded.stream > device_list_changes.stream")


def set_change(writes: Writes, user_id: str, stream: int) -> None:
    """Store that the user's devices change at this position."""
    writes.add(_SET, {"user_id": user_id, "stream": stream})


async def write_change(tx: Transaction, user_id: str, stream: int) -> None:
    """The same inside a transaction."""
    await tx.execute(_SET, {"user_id": user_id, "stream": stream})


async def all_changes(database: Database) -> list[tuple[str, int]]:
    """``(user id, position)`` of everybody's latest change, oldest first."""
    rows = await database.fetch_all(select(device_list_changes).order_by(device_list_changes.c.stream))
    return [(row.user_id, int(row.stream)) for row in rows]
