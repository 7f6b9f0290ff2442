"""Table ``called_off_calls``: which households were told by telephone or at the door that a gathering is off."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, and_, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

called_off_calls: Final = Table(
    "called_off_calls", metadata,
    Column("gathering_id", Text, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("household_id", Text, primary_key=True),
    Column("officer", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_C: Final = called_off_calls.c
_NOTE: Final = upsert(called_off_calls, replace=())
_DROP: Final = delete(called_off_calls).where(and_(
    _C.gathering_id == bindparam("gathering"), _C.day_ms == bindparam("day"), _C.sequence == bindparam("number"),
    _C.household_id == bindparam("home"),
))


class Off(NamedTuple):
    """What does not take place, as ``CalledOff`` names it: the gathering, a day of it or 0, which calling off."""

    gathering_id: str
    day_ms: int
    sequence: int


class Call(NamedTuple):
    """Who has told a household, and when (ms)."""

    officer: str
    ts: int


def note_call(writes: Writes, off: Off, household_id: str, call: Call) -> None:
    """A household was told; the first who says so has told it."""
    writes.add(_NOTE, {**off._asdict(), "household_id": household_id, "officer": call.officer, "ts": call.ts})


def drop_call(writes: Writes, off: Off, household_id: str) -> None:
    """It was not told after all."""
    writes.add(_DROP, {"gathering": off.gathering_id, "day": off.day_ms, "number": off.sequence, "home": household_id})


async def calls_of(database: Database, off: Off) -> dict[str, Call]:
    """By household, who has told it."""
    wanted = (_C.gathering_id == off.gathering_id, _C.day_ms == off.day_ms, _C.sequence == off.sequence)
    rows = await database.fetch_all(select(called_off_calls).where(*wanted))
    return {row.household_id: Call(row.officer, row.ts) for row in rows}
