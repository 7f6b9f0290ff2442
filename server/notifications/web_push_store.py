"""Table ``web_push_waiting``: what waits for the end of somebody's quiet hours."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

web_push_waiting: Final = Table(
    "web_push_waiting", metadata,
    Column("user_id", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("stream", BigInteger, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("due_ts", BigInteger, nullable=False),
)
_ADD: Final = upsert(web_push_waiting)
_DROP: Final = delete(web_push_waiting).where(
    web_push_waiting.c.user_id == bindparam("who"), web_push_waiting.c.endpoint == bindparam("where_to"),
    web_push_waiting.c.stream == bindparam("at"),
)
# Nobody's quiet hours are longer than a day: what is due later was written while the clock was wrong.
_LONGEST_MS: Final = 86_400_000
_DUE: Final = (
    select(web_push_waiting)
    .where((web_push_waiting.c.due_ts <= bindparam("now")) | (web_push_waiting.c.due_ts > bindparam("latest")))
    .order_by(web_push_waiting.c.due_ts, web_push_waiting.c.stream).limit(bindparam("most", type_=Integer))
)


class Waiting(NamedTuple):
    """One piece of news for one browser; ``due_ts`` in milliseconds since 1970."""

    user_id: str
    endpoint: str
    stream: int
    room_id: str
    event_id: str
    due_ts: int


def add_waiting(writes: Writes, waiting: Waiting) -> None:
    """Store it; twice is once."""
    writes.add(_ADD, waiting._asdict())


def drop_waiting(writes: Writes, waiting: Waiting) -> None:
    """It has been told, or needs not be told any more."""
    writes.add(_DROP, {"who": waiting.user_id, "where_to": waiting.endpoint, "at": waiting.stream})


async def due_waiting(database: Database, now_ms: int, most: int) -> list[Waiting]:
    """What is due, the oldest first."""
    rows = await database.fetch_all(_DUE, {"now": now_ms, "latest": now_ms + _LONGEST_MS, "most": most})
    return [
        Waiting(row.user_id, row.endpoint, int(row.stream), row.room_id, row.event_id, int(row.due_ts)) for row in rows
    ]
