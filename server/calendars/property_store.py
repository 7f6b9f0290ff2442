"""Table ``calendar_properties``: what a user has set on a collection, as serialised XML by Clark name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Column, Table, Text, delete, select

from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

properties: Final = Table(
    "calendar_properties", metadata,
    Column("user_id", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
_SET: Final = upsert(properties)


async def properties_of(database: Database, user_id: str) -> dict[str, dict[str, str]]:
    """All of a user's properties: collection key to name to value."""
    rows = await database.fetch_all(
        select(properties.c.collection, properties.c.name, properties.c.value)
        .where(properties.c.user_id == user_id)
    )
    found: dict[str, dict[str, str]] = {}
    for collection, name, value in rows:
        found.setdefault(collection, {})[name] = value
    return found


async def set_properties(tx: Transaction, user_id: str, collection: str, changes: Mapping[str, str | None]) -> None:
    """Set those with a value, remove those with ``None``."""
    for name, value in changes.items():
        if value is None:
            await tx.execute(delete(properties).where(
                properties.c.user_id == user_id, properties.c.collection == collection, properties.c.name == name,
            ))
        else:
            await tx.execute(_SET, {"user_id": user_id, "collection": collection, "name": name, "value": value})


async def forget_properties(tx: Transaction, user_id: str, collection: str) -> None:
    """Everything that a user has set on a collection."""
    await tx.execute(delete(properties).where(
        properties.c.user_id == user_id, properties.c.collection == collection,
    ))


async def forget_user(tx: Transaction, user_id: str) -> None:
    """Delete what somebody has said about any collection."""
    await tx.execute(delete(properties).where(properties.c.user_id == user_id))
