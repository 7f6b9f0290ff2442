"""Tables ``handovers`` and ``handover_changes``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, func, insert, select

from server.association.members.handover import Change, Handover, State
from server.association.members.model import Role
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

handovers: Final = Table(
    "handovers", metadata,
    Column("id", Text, primary_key=True),
    Column("created_by", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("due_ts", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("done_ts", BigInteger),
    Column("trouble", Text, nullable=False),
)
handover_changes: Final = Table(
    "handover_changes", metadata,
    Column("handover_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("gives", Integer, nullable=False),
)
_PUT: Final = upsert(handovers)
_CLEAR: Final = delete(handover_changes).where(handover_changes.c.handover_id == bindparam("which"))
_ADD: Final = insert(handover_changes)


def put_handover(writes: Writes, handover: Handover) -> None:
    """Store a handover with its changes."""
    writes.add(_PUT, {
        "id": handover.id, "created_by": handover.created_by, "created_ts": handover.created_ts,
        "due_ts": handover.due_ts, "state": handover.state.value, "done_ts": handover.done_ts,
        "trouble": handover.trouble,
    })
    writes.add(_CLEAR, {"which": handover.id})
    for change in handover.changes:
        writes.add(_ADD, {
            "handover_id": handover.id, "person_id": change.person_id, "role": change.role.value,
            "gives": int(change.gives),
        })


async def find_handover(database: Database, handover_id: str) -> Handover | None:
    """One of them."""
    row = await database.fetch_one(select(handovers).where(handovers.c.id == handover_id))
    return None if row is None else await _whole(database, row)


async def all_handovers(database: Database) -> list[Handover]:
    """All, the latest day first; without their changes."""
    latest_first = select(handovers).order_by(handovers.c.due_ts.desc(), handovers.c.created_ts.desc())
    rows = await database.fetch_all(latest_first)
    return [_as_handover(row) for row in rows]


async def due_handovers(database: Database, now_ms: int) -> list[Handover]:
    """Those that are decided and whose day has come, the earliest first."""
    rows = await database.fetch_all(
        select(handovers).where(handovers.c.state == State.DECIDED.value, handovers.c.due_ts <= now_ms)
        .order_by(handovers.c.due_ts)
    )
    return [await _whole(database, row) for row in rows]


async def count_of_stuck(database: Database) -> int:
    """How many could not be carried out and wait for somebody to look."""
    row = await database.fetch_one(
        select(func.count()).select_from(handovers).where(handovers.c.state == State.STUCK.value)
    )
    return 0 if row is None else int(row[0])


async def _whole(database: Database, row: Any) -> Handover:
    found = await database.fetch_all(
        select(handover_changes).where(handover_changes.c.handover_id == row.id)
    )
    changes = (Change(item.person_id, Role(item.role), bool(item.gives)) for item in found)
    return replace(_as_handover(row), changes=tuple(sorted(changes)))


def _as_handover(row: Any) -> Handover:
    return Handover(
        id=row.id, created_by=row.created_by, created_ts=row.created_ts, due_ts=row.due_ts, state=State(row.state),
        done_ts=row.done_ts, trouble=row.trouble,
    )
