"""Table ``hazards``."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select, update

from server.association.hazards.model import Hazard, HazardKind, HazardState, Sight
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

hazards: Final = Table(
    "hazards", metadata,
    Column("id", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("photo", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("reported_ts", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
)
_ADD: Final = upsert(hazards, replace=())
_MOVE: Final = (
    update(hazards).where(hazards.c.id == bindparam("known"), hazards.c.state != HazardState.WITHDRAWN.value)
    .values(state=bindparam("becomes"), note=bindparam("words_to_it"), changed_ts=bindparam("at"))
)


def add_hazard(writes: Writes, hazard: Hazard) -> None:
    """Enter a report."""
    sight = hazard.sight
    writes.add(_ADD, {
        "id": hazard.id, "room_id": hazard.room_id, "kind": sight.kind.value, "place": sight.place,
        "words": sight.text, "photo": sight.photo, "state": hazard.state.value, "note": hazard.note,
        "reporter": hazard.reporter, "reported_ts": hazard.reported_ms, "changed_ts": hazard.changed_ms,
    })


def move_hazard(writes: Writes, hazard_id: str, state: HazardState, note: str, ts: int) -> None:
    """What has become of it; nothing becomes of one that was withdrawn."""
    writes.add(_MOVE, {"known": hazard_id, "becomes": state.value, "words_to_it": note, "at": ts})


async def find_hazard(database: Database, hazard_id: str) -> Hazard | None:
    """One report."""
    row = await database.fetch_one(select(hazards).where(hazards.c.id == hazard_id))
    return None if row is None else _as_hazard(row)


async def newest_hazards(database: Database, limit: int, since_ms: int = 0) -> list[Hazard]:
    """Reports that are not withdrawn and have changed since, the newest first."""
    c = hazards.c
    rows = await database.fetch_all(
        select(hazards).where(c.state != HazardState.WITHDRAWN.value, c.changed_ts >= since_ms)
        .order_by(c.reported_ts.desc(), c.id).limit(limit))
    return [_as_hazard(row) for row in rows]


async def count_by(database: Database, reporter: str, since_ms: int) -> int:
    """How many somebody has reported since."""
    c = hazards.c
    rows = await database.fetch_all(select(c.id).where(c.reporter == reporter, c.reported_ts >= since_ms).limit(100))
    return len(rows)


def _as_hazard(row: Any) -> Hazard:
    return Hazard(
        row.id, row.room_id, Sight(HazardKind(row.kind), row.place, row.words, row.photo), HazardState(row.state),
        row.note, row.reporter, row.reported_ts, row.changed_ts,
    )
