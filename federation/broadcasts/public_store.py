"""Table ``public_notices``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Select, Table, Text, bindparam, delete, select, update

from federation.broadcasts.model import Notice, Standing
from federation.broadcasts.notices_store import notices
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

public_notices: Final = Table(
    "public_notices", metadata,
    Column("key", Text, primary_key=True),
    Column("changed_ts", BigInteger, nullable=False),
)
_OPEN: Final = upsert(public_notices)
_CLOSE: Final = delete(public_notices).where(public_notices.c.key == bindparam("which"))
_TOUCH: Final = (
    update(public_notices).where(public_notices.c.key == bindparam("which")).values(changed_ts=bindparam("ts"))
)


class Told(NamedTuple):
    """A public notice, and when it changed for whoever reads the feeds (ms)."""

    notice: Notice
    changed_ts: int


def make_public(writes: Writes, key: str, ts: int) -> None:
    """From now on everybody may read it."""
    writes.add(_OPEN, {"key": key, "changed_ts": ts})


def make_private(writes: Writes, key: str) -> None:
    """From now on it is for the associations alone."""
    writes.add(_CLOSE, {"which": key})


def note_revision(writes: Writes, key: str, ts: int) -> None:
    """It has a new revision; nothing happens where it is not public."""
    writes.add(_TOUCH, {"which": key, "ts": ts})


async def is_open(database: Database, key: str) -> bool:
    """Whether everybody may read it."""
    return await database.fetch_one(select(public_notices.c.key).where(public_notices.c.key == key)) is not None


async def latest(database: Database, limit: int, now_ms: int) -> list[Told]:
    """Own notices that are public and have not expired, the one that has changed last first."""
    newest = _readable(now_ms).order_by(public_notices.c.changed_ts.desc(), notices.c.key).limit(limit)
    return [_told(row) for row in await database.fetch_all(newest)]


async def find(database: Database, key: str, now_ms: int) -> Told | None:
    """One of them."""
    row = await database.fetch_one(_readable(now_ms).where(notices.c.key == key))
    return _told(row) if row else None


def _readable(now_ms: int) -> Select[tuple[str, int]]:
    n, p = notices.c, public_notices.c
    return (
        select(n.signed, p.changed_ts).join(public_notices, p.key == n.key)
        .where(n.standing == Standing.OWN.value, n.expires_ts > now_ms)
    )


def _told(row: Any) -> Told:
    return Told(Notice.from_json(orjson.loads(row[0])), row[1])
