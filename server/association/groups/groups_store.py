"""Table ``group_files``: what stands in the folders of groups, as their rooms tell it."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, select

from server.association.groups.model import GroupFile
from server.media.pictures import Picture
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

files: Final = Table(
    "group_files", metadata,
    Column("event_id", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("is_photo", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_ADD: Final = upsert(files, replace=())
_DROP: Final = delete(files).where(files.c.event_id == bindparam("target"))


def add_file(writes: Writes, item: GroupFile) -> None:
    """Store a file that was sent to a group."""
    writes.add(_ADD, {
        "event_id": item.event_id, "room_id": item.room_id, "sender": item.sender, "ts": item.ts,
        "file": orjson.dumps(item.file.as_json()).decode(), "is_photo": int(item.file.is_photo),
    })


def drop_file(writes: Writes, event_id: str) -> None:
    """It was removed."""
    writes.add(_DROP, {"target": event_id})


async def files_in(database: Database, room_id: str, *, photos: bool, limit: int) -> list[GroupFile]:
    """The newest photos, or the newest other files."""
    asked = (
        select(files).where(files.c.room_id == room_id, files.c.is_photo == int(photos))
        .order_by(files.c.ts.desc(), files.c.event_id).limit(limit)
    )
    return [_as_file(row) for row in await database.fetch_all(asked)]


async def find_file(database: Database, event_id: str) -> GroupFile | None:
    """One file."""
    row = await database.fetch_one(select(files).where(files.c.event_id == event_id))
    return None if row is None else _as_file(row)


def _as_file(row: Any) -> GroupFile:
    return GroupFile(row.event_id, row.room_id, row.sender, Picture.from_json(orjson.loads(row.file)), row.ts)
