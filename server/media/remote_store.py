"""Table ``remote_media``: copies of other servers' files. Times in ms, sizes in bytes."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, delete, func, insert, select, update

from server.media.model import MediaItem, Mxc
from server.storage.database import Database, Transaction, metadata

remote_media: Final = Table(
    "remote_media", metadata,
    Column("server_name", Text, primary_key=True),
    Column("media_id", Text, primary_key=True),
    Column("file_id", Text, nullable=False, unique=True),
    Column("content_type", Text, nullable=False),
    Column("filename", Text),
    Column("size", BigInteger, nullable=False),
    Column("fetched_ts", BigInteger, nullable=False),
    Column("used_ts", BigInteger, nullable=False),
)


async def add(tx: Transaction, mxc: Mxc, item: MediaItem) -> None:
    """Store a copy's row; ``item.media_id`` is the name of the copy, ``item.created_ts`` when it was fetched."""
    await tx.execute(insert(remote_media), {
        "server_name": mxc.server_name, "media_id": mxc.media_id, "file_id": item.media_id,
        "content_type": item.content_type, "filename": item.filename, "size": item.size,
        "fetched_ts": item.created_ts, "used_ts": item.created_ts,
    })


async def find(database: Database, mxc: Mxc) -> tuple[MediaItem, int] | None:
    """A copy, and when it was last known to be used."""
    row = await database.fetch_one(
        select(remote_media)
        .where(remote_media.c.server_name == mxc.server_name, remote_media.c.media_id == mxc.media_id)
    )
    return None if row is None else (_as_item(mxc, row), int(row.used_ts))


async def use(tx: Transaction, file_id: str, ts: int) -> None:
    """A copy has been used."""
    await tx.execute(update(remote_media).where(remote_media.c.file_id == file_id).values(used_ts=ts))


async def forget(tx: Transaction, file_ids: list[str]) -> None:
    """Remove the rows of copies."""
    await tx.execute(delete(remote_media).where(remote_media.c.file_id.in_(file_ids)))


async def kept_bytes(database: Database) -> int:
    """All copies together."""
    row = await database.fetch_one(select(func.coalesce(func.sum(remote_media.c.size), 0)))
    return 0 if row is None else int(row[0])


async def least_used(database: Database, limit: int) -> list[tuple[str, int, int]]:
    """``(file id, size, last use)`` of those that have not been used for longest."""
    rows = await database.fetch_all(
        select(remote_media.c.file_id, remote_media.c.size, remote_media.c.used_ts)
        .order_by(remote_media.c.used_ts, remote_media.c.fetched_ts, remote_media.c.file_id).limit(limit)
    )
    return [(str(row[0]), int(row[1]), int(row[2])) for row in rows]


async def with_row(database: Database, file_ids: list[str]) -> set[str]:
    """Which of these are copies that are known."""
    if not file_ids:
        return set()
    rows = await database.fetch_all(select(remote_media.c.file_id).where(remote_media.c.file_id.in_(file_ids)))
    return {str(row[0]) for row in rows}


def _as_item(mxc: Mxc, row: Any) -> MediaItem:
    return MediaItem(row.file_id, mxc.server_name, row.content_type, row.filename, row.size, row.fetched_ts)
