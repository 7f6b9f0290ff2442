"""Table ``gathering_answers``: who comes, as rooms tell it by reactions and as officers write it down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, or_, select, update

from server.association.gatherings.answers import Answer, OwnAnswers, Said
from server.association.members.came_by import CameBy
from server.association.members.model import Person
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
    Column("person_id", Text, nullable=False),
    Column("household_id", Text, nullable=False),
    Column("people", BigInteger, nullable=False),
    Column("came_by", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
)
_PUT: Final = upsert(gathering_answers)
_TAKE_BACK: Final = (
    update(gathering_answers).where(gathering_answers.c.event_id == bindparam("target"))
    .values(answer="", position=bindparam("at"))
)
_ORDER: Final = (gathering_answers.c.position, gathering_answers.c.event_id)


def put_answer(writes: Writes, said: Said) -> None:
    """Store what a reaction says, or what an officer writes down."""
    writes.add(_PUT, {
        "event_id": said.event_id, "gathering_id": said.gathering_id, "user_id": said.user_id,
        "answer": said.answer.value, "said_ms": said.said_ms, "position": said.position, "person_id": said.person_id,
        "household_id": said.household_id, "people": said.people, "came_by": said.came_by.value,
        "entered_by": said.entered_by,
    })


def take_back(writes: Writes, event_id: str, position: int) -> None:
    """The reaction was removed at ``position``; nothing is done for other events."""
    writes.add(_TAKE_BACK, {"target": event_id, "at": position})


async def answers_of_user(database: Database, user_id: str, person: Person | None) -> OwnAnswers:
    """Everything that an account has answered, and what was written down for them or their household."""
    a = gathering_answers.c
    mine = [a.user_id == user_id]
    if person is not None:
        mine += [a.person_id == person.id, a.household_id == person.household_id]
    rows = await database.fetch_all(select(gathering_answers).where(or_(*mine)).order_by(*_ORDER))
    said = [_as_said(row) for row in rows if row.answer]
    last: dict[str, Said] = {}
    reactions: dict[str, tuple[str, ...]] = {}
    for item in said:
        last[item.gathering_id] = item
        if not item.is_written:
            reactions[item.gathering_id] = (*reactions.get(item.gathering_id, ()), item.event_id)
    moved = {row.gathering_id: int(row.position) for row in rows}
    return OwnAnswers(max(moved.values(), default=0), last, reactions, moved)


async def answers_to(database: Database, gathering_ids: Iterable[str]) -> list[Said]:
    """What counts of everybody's answers to some gatherings: the last of each account, person and household."""
    wanted = gathering_answers.c.gathering_id.in_(list(gathering_ids))
    rows = await database.fetch_all(
        select(gathering_answers).where(wanted, gathering_answers.c.answer != "").order_by(*_ORDER)
    )
    said = map(_as_said, rows)
    return list({(item.gathering_id, item.user_id, item.person_id, item.household_id): item for item in said}.values())


async def written_for(database: Database, gathering_id: str, household_id: str, persons: Iterable[str]) -> list[str]:
    """What was ever written down for a household or for some persons, and stands."""
    a = gathering_answers.c
    wanted = or_(a.household_id == household_id, a.person_id.in_(list(persons)))
    rows = await database.fetch_all(
        select(a.event_id).where(a.gathering_id == gathering_id, a.came_by != CameBy.APP.value, a.answer != "", wanted))
    return [str(row.event_id) for row in rows]


async def written_gatherings(database: Database) -> set[str]:
    """The gatherings to which any answer was written down."""
    a = gathering_answers.c
    rows = await database.fetch_all(select(a.gathering_id).where(a.came_by != CameBy.APP.value).distinct())
    return {str(row.gathering_id) for row in rows}


def _as_said(row: Any) -> Said:
    return Said(
        row.gathering_id, row.user_id, Answer(row.answer), row.said_ms, row.event_id, row.position, row.person_id,
        row.household_id, row.people, CameBy(row.came_by), row.entered_by,
    )
