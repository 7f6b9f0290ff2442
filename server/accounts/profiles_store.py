"""Table ``profile_fields``: what users show of themselves, one row a field, each value as JSON."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import Column, LargeBinary, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

profile_fields: Final = Table(
    "profile_fields", metadata,
    Column("user_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

_SET: Final = upsert(profile_fields)
_CLEAR: Final = delete(profile_fields).where(
    profile_fields.c.user_id == bindparam("who"), profile_fields.c.name == bindparam("which")
)
_CLEAR_ALL: Final = delete(profile_fields).where(profile_fields.c.user_id == bindparam("who"))


def set_field(writes: Writes, user_id: str, name: str, value: Any) -> None:
    """Store one field."""
    writes.add(_SET, {"user_id": user_id, "name": name, "value": orjson.dumps(value)})


def clear_field(writes: Writes, user_id: str, name: str) -> None:
    """Remove one field."""
    writes.add(_CLEAR, {"who": user_id, "which": name})


def clear_profile(writes: Writes, user_id: str) -> None:
    """Remove all fields."""
    writes.add(_CLEAR_ALL, {"who": user_id})


async def read_profile(database: Database, user_id: str) -> dict[str, Any]:
    """All fields of a user."""
    rows = await database.fetch_all(
        select(profile_fields.c.name, profile_fields.c.value).where(profile_fields.c.user_id == user_id)
    )
    return {row[0]: orjson.loads(row[1]) for row in rows}
