"""Table ``notice_sends``. Loaded at the start: that a notice has gone is written in the transaction of its event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, select, update

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

notice_sends: Final = Table(
    "notice_sends", metadata,
    Column("key", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("urgent", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_PLAN: Final = upsert(notice_sends, replace=())
_GONE: Final = (
    update(notice_sends)
    .where(
        notice_sends.c.key == bindparam("of"), notice_sends.c.revision == bindparam("number"),
        notice_sends.c.room_id == bindparam("room"),
    )
    .values(event_id=bindparam("event"), ts=bindparam("at"))
)
_GIVE_UP: Final = delete(notice_sends).where(
    notice_sends.c.key == bindparam("of"), notice_sends.c.revision == bindparam("number"),
    notice_sends.c.room_id == bindparam("room"), notice_sends.c.event_id == "",
)


class Send(NamedTuple):
    """A notice on its way over one link."""

    key: str
    revision: int
    room_id: str
    urgent: bool
    event_id: str
    ts: int


def plan(writes: Writes, send: Send) -> None:
    """A notice shall go over a link. Twice is once."""
    writes.add(_PLAN, {**send._asdict(), "urgent": int(send.urgent)})


def note_gone(writes: Writes, content: Mapping[str, Any], room_id: str, event_id: str, ts: int) -> None:
    """Our own event with a notice stands in a room."""
    notice = content.get("notice")
    if isinstance(notice, dict) and isinstance(notice.get("revision"), int):
        key = f"{notice.get('origin')}/{notice.get('id')}"
        writes.add(_GONE, {"of": key, "number": notice["revision"], "room": room_id, "event": event_id, "at": ts})


def give_up(writes: Writes, send: Send) -> None:
    """The link was ended before the notice went."""
    writes.add(_GIVE_UP, {"of": send.key, "number": send.revision, "room": send.room_id})


async def waiting(database: Database, limit: int) -> list[Send]:
    """What has not gone yet: alerts first, then by age."""
    c = notice_sends.c
    rows = await database.fetch_all(
        select(notice_sends).where(c.event_id == "").order_by(c.urgent.desc(), c.ts, c.key, c.room_id).limit(limit))
    return [_as_send(row) for row in rows]


async def sends_of(database: Database, key: str) -> list[Send]:
    """Over which links a notice goes, all revisions."""
    c = notice_sends.c
    rows = await database.fetch_all(select(notice_sends).where(c.key == key).order_by(c.revision, c.room_id))
    return [_as_send(row) for row in rows]


def _as_send(row: Any) -> Send:
    return Send(row.key, row.revision, row.room_id, bool(row.urgent), row.event_id, row.ts)
