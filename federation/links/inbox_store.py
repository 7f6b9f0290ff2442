"""Tables ``linked_inbox`` and ``linked_refusals``: what is still to be looked at, and what was refused.

Loaded at the start, since the first of these must be written in the transaction of the event that brings it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, bindparam, delete, func, select, text

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

linked_inbox: Final = Table(
    "linked_inbox", metadata,
    Column("event_id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("room_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("urgent", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
linked_refusals: Final = Table(
    "linked_refusals", metadata,
    Column("id", Text, primary_key=True),
    Column("ts", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("server", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

_ADD: Final = upsert(linked_inbox, replace=())
_DONE: Final = delete(linked_inbox).where(linked_inbox.c.event_id == bindparam("done"))
_REFUSE: Final = text(
    "INSERT INTO linked_refusals (id, ts, times, server, what, reason) VALUES (:id, :ts, 1, :server, :what, :reason) "
    "ON CONFLICT (id) DO UPDATE SET ts = excluded.ts, times = linked_refusals.times + 1"
).bindparams(*(
    bindparam(name, type_=BigInteger() if name == "ts" else Text()) for name in ("id", "ts", "server", "what", "reason")
))
_ANYTHING: Final = text(
    "SELECT 1 FROM links UNION ALL SELECT 1 FROM linked_inbox UNION ALL SELECT 1 FROM shares LIMIT 1"
)


class Letter(NamedTuple):
    """An event of a linked node that waits to be looked at."""

    event_id: str
    position: int
    room_id: str
    kind: str
    sender: str
    urgent: bool
    ts: int
    content: dict[str, Any]


class Refusal(NamedTuple):
    """Something that was refused, ``times`` times, last at ``ts``."""

    id: str
    ts: int
    times: int
    server: str
    what: str
    reason: str


def add_letter(writes: Writes, letter: Letter) -> None:
    """Keep an event until it was looked at."""
    writes.add(_ADD, {**letter._asdict(), "urgent": int(letter.urgent), "content": orjson.dumps(letter.content)})


def letter_done(writes: Writes, event_id: str) -> None:
    """It was."""
    writes.add(_DONE, {"done": event_id})


async def waiting_letters(database: Database, limit: int) -> list[Letter]:
    """What waits: alerts first, then as they came."""
    c = linked_inbox.c
    rows = await database.fetch_all(select(linked_inbox).order_by(c.urgent.desc(), c.position).limit(limit))
    return [Letter(
        row.event_id, row.position, row.room_id, row.kind, row.sender, bool(row.urgent), row.ts,
        orjson.loads(row.content),
    ) for row in rows]


async def is_anything_between_nodes(database: Database) -> bool:
    """Whether this node was ever linked with another, or something waits. Asked at the start, so in few words."""
    return await database.fetch_one(_ANYTHING) is not None


def refuse(writes: Writes, refusal: Refusal) -> None:
    """Keep that something was refused."""
    writes.add(_REFUSE, {name: value for name, value in refusal._asdict().items() if name != "times"})


async def count_refusals(database: Database) -> int:
    """How many different things were refused."""
    row = await database.fetch_one(select(func.count()).select_from(linked_refusals))
    return 0 if row is None else int(row[0])


async def refusals(database: Database, limit: int) -> list[Refusal]:
    """What was refused, the newest first."""
    rows = await database.fetch_all(select(linked_refusals).order_by(linked_refusals.c.ts.desc()).limit(limit))
    return [Refusal(row.id, row.ts, row.times, row.server, row.what, row.reason) for row in rows]
