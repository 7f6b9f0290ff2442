"""Table ``media``: what is known of every file of this node."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, insert, select, update

from server.media.model import ANY_TYPE, MediaItem
from server.storage.database import Database, Transaction, metadata

media: Final = Table(
    "media", metadata,
    Column("media_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("filename", Text),
    Column("size", BigInteger),
    Column("created_ts", BigInteger, nullable=False),
)

_BYTES_OF_OWNER: Final = (
    select(func.coalesce(func.sum(media.c.size), 0)).where(media.c.owner == bindparam("of_owner"))
)


async def add(tx: Transaction, item: MediaItem) -> None:
    """Store a new file's row."""
    await tx.execute(insert(media), {
        "media_id": item.media_id, "owner": item.owner, "content_type": item.content_type, "filename": item.filename,
        "size": item.size, "created_ts": item.created_ts,
    })


async def reserve(tx: Transaction, media_id: str, owner: str, created_ts: int) -> None:
    """Store an id whose content is still to come."""
    await add(tx, MediaItem(media_id, owner, ANY_TYPE, None, None, created_ts))


async def fill(tx: Transaction, item: MediaItem) -> bool:
    """Give a reserved id its content; ``False`` if it has got one meanwhile, or is gone."""
    done = await tx.execute(
        update(media).where(media.c.media_id == item.media_id, media.c.size.is_(None))
        .values(content_type=item.content_type, filename=item.filename, size=item.size)
    )
    return int(done.rowcount) == 1


async def find(database: Database, media_id: str) -> MediaItem | None:
    """One file's row."""
    row = await database.fetch_one(select(media).where(media.c.media_id == media_id))
    return None if row is None else _as_item(row)


async def remove(tx: Transaction, media_id: str) -> None:
    """Forget a file."""
    await tx.execute(delete(media).where(media.c.media_id == media_id))


async def bytes_of_owner(database: Database, owner: str) -> int:
    """How much a person keeps here, in bytes."""
    row = await database.fetch_one(_BYTES_OF_OWNER, {"of_owner": owner})
    return 0 if row is None else int(row[0])


async def bytes_of_owner_now(tx: Transaction, owner: str) -> int:
    """The same inside a transaction: nobody else writes meanwhile."""
    return int((await tx.execute(_BYTES_OF_OWNER, {"of_owner": owner})).scalar_one())


async def pending_of_owner(database: Database, owner: str, since_ts: int) -> int:
    """How many ids a person has reserved since ``since_ts`` and not used."""
    row = await database.fetch_one(
        select(func.count()).select_from(media)
        .where(media.c.owner == owner, media.c.size.is_(None), media.c.created_ts >= since_ts)
    )
    return 0 if row is None else int(row[0])


async def forget_pending_before(tx: Transaction, ts: int) -> None:
    """Drop reserved ids that were never used."""
    await tx.execute(delete(media).where(media.c.size.is_(None), media.c.created_ts < ts))


async def of_owner_before(database: Database, owner: str, ts: int, limit: int) -> list[str]:
    """Ids of the oldest files of an owner that came before ``ts`` (ms)."""
    rows = await database.fetch_all(
        select(media.c.media_id).where(media.c.owner == owner, media.c.size.is_not(None), media.c.created_ts < ts)
        .order_by(media.c.created_ts).limit(limit)
    )
    return [str(row[0]) for row in rows]


async def with_content(database: Database, media_ids: list[str]) -> set[str]:
    """Which of ``media_ids`` are files that have their content."""
    if not media_ids:
        return set()
    rows = await database.fetch_all(
        select(media.c.media_id).where(media.c.media_id.in_(media_ids), media.c.size.is_not(None))
    )
    return {str(row[0]) for row in rows}


def _as_item(row: Any) -> MediaItem:
    return MediaItem(row.media_id, row.owner, row.content_type, row.filename, row.size, row.created_ts)
