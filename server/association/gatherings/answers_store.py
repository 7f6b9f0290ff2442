"""Table ``gathering_answers``: reactions to gatherings, as rooms tell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select, update

from server.association.gatherings.answers import Answer, OwnAnswers, Said
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

gathering_answers: Final = Table(
    "gathering_answers", metadata,
    Column("event_id", Text, primary_key=True),
    Column("gathering_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("said_ms", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)
_PUT: Final = upsert(gathering_answers)
_TAKE_BACK: Final = (
    update(gathering_answers).where(gathering_answers.c.event_id == bindparam("target"))
    .values(answer="", position=bindparam("at"))
)
_ORDER: Final = (gathering_answers.c.position, gathering_answers.c.event_id)


def put_answer(writes: Writes, said: Said) -> None:
    """Store what a reaction says."""
    writes.add(_PUT, {
        "event_id": said.event_id, "gathering_id": said.gathering_id, "user_id": said.user_id,
        "answer": said.answer.value, "said_ms": said.said_ms, "position": said.position,
    })


def take_back(writes: Writes, event_id: str, position: int) -> None:
    """The reaction was removed at ``position``; nothing is done for other events."""
    writes.add(_TAKE_BACK, {"target": event_id, "at": position})


async def answers_of_user(database: Database, user_id: str) -> OwnAnswers:
    """Everything that an account has answered."""
    query = select(gathering_answers).where(gathering_answers.c.user_id == user_id).order_by(*_ORDER)
    rows = await database.fetch_all(query)
    said = [_as_said(row) for row in rows if row.answer]
    last = {item.gathering_id: item for item in said}
    older: dict[str, tuple[str, ...]] = {}
    for item in said:
        if last[item.gathering_id] is not item:
            older[item.gathering_id] = (*older.get(item.gathering_id, ()), item.event_id)
    moved = {row.gathering_id: int(row.position) for row in rows}
    return OwnAnswers(max(moved.values(), default=0), last, older, moved)


async def answers_to(database: Database, gathering_ids: Iterable[str]) -> list[Said]:
    """What counts of everybody's answers to some gatherings."""
    wanted = gathering_answers.c.gathering_id.in_(list(gathering_ids))
    rows = await database.fetch_all(
        select(gathering_answers).where(wanted, gathering_answers.c.answer != "").order_by(*_ORDER)
    )
    return list({(row.gathering_id, row.user_id): _as_said(row) for row in rows}.values())


def _as_said(row: Any) -> Said:
    return Said(row.gathering_id, row.user_id, Answer(row.answer), row.said_ms, row.event_id, row.position)
