"""Table ``previews``: what web pages said of themselves, by a hash of their address."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, select

from server.storage.database import Database, metadata

previews: Final = Table(
    "previews", metadata,
    Column("page", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("fetched_ts", BigInteger, nullable=False),
)


async def find(database: Database, page: str, since_ts: int) -> dict[str, Any] | None:
    """What is known of a page that was looked at since ``since_ts`` (ms)."""
    row = await database.fetch_one(
        select(previews.c.content).where(previews.c.page == page, previews.c.fetched_ts >= since_ts)
    )
    content: dict[str, Any] | None = None if row is None else orjson.loads(row[0])
    return content


async def put(database: Database, page: str, content: dict[str, Any], fetched_ts: int) -> None:
    """Keep what a page says now."""
    async with database.write() as tx:
        await tx.execute(delete(previews).where(previews.c.page == page))
        await tx.execute(insert(previews), {
            "page": page, "content": orjson.dumps(content).decode(), "fetched_ts": fetched_ts,
        })


async def forget_before(database: Database, ts: int, *, most: int) -> None:
    """Drop what was looked at before ``ts`` (ms), and the oldest where there are more than ``most``."""
    row = await database.fetch_one(
        select(previews.c.fetched_ts).order_by(previews.c.fetched_ts.desc()).offset(most).limit(1)
    )
    until = ts if row is None else max(ts, int(row[0]) + 1)
    async with database.write() as tx:
        await tx.execute(delete(previews).where(previews.c.fetched_ts < until))
