"""Tables ``safety_checks``, ``safety_prompts`` and ``safety_answers``: who was asked, and how they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, func, select, update

from server.association.members.came_by import CameBy
from server.association.members.model import Audience
from server.association.safety_checks.model import (
    Answer,
    Check,
    Current,
    Figures,
    Standing,
    State,
    Status,
    standing_of,
)
from server.association.safety_checks.open_checks import OpenCheck, Prompt
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

safety_checks: Final = Table(
    "safety_checks", metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("drill", Integer, nullable=False),
    Column("audience", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_ts", BigInteger, nullable=False),
    Column("closed_ts", BigInteger),
    Column("room_id", Text, nullable=False),
)
safety_prompts: Final = Table(
    "safety_prompts", metadata,
    Column("check_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("household_id", Text, nullable=False),
    Column("block_id", Text, nullable=False),
    Column("room_id", Text),
    Column("message_event", Text),
    Column("poll_event", Text),
    Column("position", BigInteger, nullable=False),
    Column("read_ts", BigInteger),
    Column("ended", Integer, nullable=False),
    Column("confirmed", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("answered_ts", BigInteger),
    Column("comment", Text, nullable=False),
    Column("people", Integer),
    Column("geo_uri", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
)
safety_answers: Final = Table(
    "safety_answers", metadata,
    Column("id", Text, primary_key=True),
    Column("check_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("people", Integer),
    Column("geo_uri", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("withdrawn", Integer, nullable=False),
)

_p: Final = safety_prompts.c
_ONE: Final = (_p.check_id == bindparam("of_check")) & (_p.person_id == bindparam("of_person"))

_SET_CHECK: Final = upsert(safety_checks, replace=["title", "state", "closed_ts"])
_ADD_PROMPT: Final = upsert(safety_prompts, replace=())
_ASKED: Final = update(safety_prompts).where(_ONE).values(
    message_event=bindparam("message"), poll_event=bindparam("poll"), position=bindparam("at"))
_READ: Final = update(safety_prompts).where(_ONE & _p.read_ts.is_(None)).values(read_ts=bindparam("ts"))
_ENDED: Final = update(safety_prompts).where(_ONE).values(ended=1)
_CONFIRMED: Final = update(safety_prompts).where(_ONE).values(confirmed=bindparam("place"))
_ADD_ANSWER: Final = upsert(safety_answers, replace=())
_NO_WORDS: Final = {"comment": "", "people": None, "geo_uri": ""}
_FORGET: Final = [
    update(table).where(table.c.person_id == bindparam("person")).values(_NO_WORDS)
    for table in (safety_answers, safety_prompts)
]
_WITHDRAW: Final = update(safety_answers).where(safety_answers.c.id == bindparam("answer")).values(withdrawn=1)
_NOW: Final = update(safety_prompts).where(_ONE).values(
    status=bindparam("new_status"), answered_ts=bindparam("ts"), comment=bindparam("words"),
    people=bindparam("count"), geo_uri=bindparam("place"), channel=bindparam("way"), entered_by=bindparam("officer"))


class Line(NamedTuple):
    """One person's row, for the officers' table."""

    person_id: str
    household_id: str
    block_id: str
    standing: Standing
    current: Current


class Entered(NamedTuple):
    """One line of a person's history; ``withdrawn`` where the resident took it back."""

    answer: Answer
    withdrawn: bool


def set_check(writes: Writes, check: Check, room_id: str) -> None:
    """Store a check, or its new state."""
    writes.add(_SET_CHECK, {
        "id": check.id, "title": check.title, "drill": int(check.drill), "audience": str(check.audience),
        "issuer": check.issuer, "state": check.state.value, "started_ts": check.started_ts,
        "closed_ts": check.closed_ts, "room_id": room_id,
    })


def add_prompt(writes: Writes, prompt: Prompt) -> None:
    """Store that somebody is to be asked; twice is once."""
    writes.add(_ADD_PROMPT, {
        "check_id": prompt.check_id, "person_id": prompt.person_id, "household_id": prompt.household_id,
        "block_id": prompt.block_id, "room_id": prompt.room_id, "message_event": None, "poll_event": None,
        "position": 0, "read_ts": None, "ended": 0, "confirmed": 0, "status": "", "answered_ts": None,
        "comment": "", "people": None, "geo_uri": "", "channel": "", "entered_by": "",
    })


def set_asked(writes: Writes, prompt: Prompt) -> None:
    """Store which events are the question to this person."""
    writes.add(_ASKED, {**_key(prompt), "message": prompt.message_event, "poll": prompt.poll_event,
                        "at": prompt.position})


def set_read(writes: Writes, prompt: Prompt, ts: int) -> None:
    """Store that the person has read the question; the first time counts."""
    writes.add(_READ, {**_key(prompt), "ts": ts})


def set_ended(writes: Writes, prompt: Prompt) -> None:
    """Store that the poll in the person's room has been ended."""
    writes.add(_ENDED, _key(prompt))


def set_confirmed(writes: Writes, prompt: Prompt) -> None:
    """Store for which answer the person has the receipt."""
    writes.add(_CONFIRMED, {**_key(prompt), "place": prompt.confirmed})


def add_answer(writes: Writes, prompt: Prompt, answer: Answer) -> None:
    """Store an answer in the history, and what holds now."""
    writes.add(_ADD_ANSWER, {
        "id": answer.id, "check_id": prompt.check_id, "person_id": prompt.person_id,
        "place": answer.place, "ts": answer.ts,
        "status": answer.status.value if answer.status else "", "comment": answer.comment, "people": answer.people,
        "geo_uri": answer.geo_uri, "channel": answer.channel.value, "entered_by": answer.entered_by, "withdrawn": 0,
    })
    set_current(writes, prompt)


def withdraw_answer(writes: Writes, prompt: Prompt, answer_id: str) -> None:
    """Store that an answer was taken back, and what holds now."""
    writes.add(_WITHDRAW, {"answer": answer_id})
    set_current(writes, prompt)


def forget_words_of(writes: Writes, person_id: str) -> None:
    """Somebody leaves: how they were stays for the figures, what they told of it goes."""
    for statement in _FORGET:
        writes.add(statement, {"person": person_id})


def set_current(writes: Writes, prompt: Prompt) -> None:
    """Store what holds now of a person's answers."""
    current = prompt.current()
    writes.add(_NOW, {
        **_key(prompt), "new_status": current.status.value if current.status else "", "ts": current.ts,
        "words": current.comment, "count": current.people, "place": current.geo_uri,
        "way": current.channel.value if current.channel else "", "officer": current.entered_by,
    })


async def load_unfinished(database: Database) -> list[OpenCheck]:
    """Checks that take answers, or whose polls are not all ended, with everything that belongs to them."""
    unended = select(_p.check_id).where(_p.poll_event.is_not(None), _p.ended == 0)
    rows = await database.fetch_all(
        select(safety_checks)
        .where((safety_checks.c.state == State.ASKING.value) | safety_checks.c.id.in_(unended))
        .order_by(safety_checks.c.started_ts)
    )
    return [await _load_one(database, as_check(row), row.room_id) for row in rows]


async def find_check(database: Database, check_id: str) -> Check | None:
    """One check, going on or closed."""
    row = await database.fetch_one(select(safety_checks).where(safety_checks.c.id == check_id))
    return None if row is None else as_check(row)


async def checks_newest_first(database: Database, limit: int, before_ts: int | None = None) -> list[Check]:
    """A page of all checks."""
    statement = select(safety_checks).order_by(safety_checks.c.started_ts.desc()).limit(limit)
    if before_ts is not None:
        statement = statement.where(safety_checks.c.started_ts < before_ts)
    return [as_check(row) for row in await database.fetch_all(statement)]


async def open_checks(database: Database, limit: int) -> list[Check]:
    """The checks that take answers, newest first."""
    rows = await database.fetch_all(
        select(safety_checks).where(safety_checks.c.state == State.ASKING.value)
        .order_by(safety_checks.c.started_ts.desc()).limit(limit))
    return [as_check(row) for row in rows]


async def figures_by_block(database: Database, check_id: str) -> dict[str, Figures]:
    """How many persons stand where, by block."""
    has_read, has_app = _p.read_ts.is_not(None), _p.room_id.is_not(None)
    rows = await database.fetch_all(
        select(_p.block_id, _p.status, has_read, has_app, func.count())
        .where(_p.check_id == check_id).group_by(_p.block_id, _p.status, has_read, has_app)
    )
    found: dict[str, dict[Standing, int]] = {}
    for block_id, status, read, app, count in rows:
        counts = found.setdefault(block_id, {})
        standing = standing_of(Status(status) if status else None, has_read=bool(read), has_app=bool(app))
        counts[standing] = counts.get(standing, 0) + int(count)
    return {block_id: Figures(counts) for block_id, counts in found.items()}


async def lines_of(database: Database, check_id: str) -> list[Line]:
    """Every person's row."""
    return [_as_line(row) for row in await database.fetch_all(
        select(safety_prompts).where(_p.check_id == check_id))]


async def line_of(database: Database, check_id: str, person_id: str) -> Line | None:
    """One person's row."""
    row = await database.fetch_one(
        select(safety_prompts).where(_p.check_id == check_id, _p.person_id == person_id))
    return None if row is None else _as_line(row)


async def history_of(database: Database, check_id: str, person_id: str) -> list[Entered]:
    """Everything that a person has answered, oldest first."""
    a = safety_answers.c
    rows = await database.fetch_all(
        select(safety_answers).where(a.check_id == check_id, a.person_id == person_id).order_by(a.place))
    return [Entered(_as_answer(row), bool(row.withdrawn)) for row in rows]


def as_check(row: Any) -> Check:
    """A check from its row."""
    return Check(row.id, row.title, bool(row.drill), Audience.parse(row.audience), row.issuer, State(row.state),
                 row.started_ts, row.closed_ts)


async def _load_one(database: Database, check: Check, room_id: str) -> OpenCheck:
    going = OpenCheck(check, room_id)
    for row in await database.fetch_all(select(safety_prompts).where(_p.check_id == check.id)):
        going.prompts[row.person_id] = Prompt(
            row.check_id, row.person_id, row.household_id, row.block_id, row.room_id, row.message_event,
            row.poll_event, row.position, row.read_ts is not None, bool(row.ended), row.confirmed,
        )
    a = safety_answers.c
    answers: Sequence[Any] = await database.fetch_all(
        select(safety_answers).where(a.check_id == check.id).order_by(a.place))
    for row in answers:
        prompt = going.prompts[row.person_id]
        prompt.last_place = row.place
        if not row.withdrawn:
            prompt.answers.append(_as_answer(row))
    return going


def _as_answer(row: Any) -> Answer:
    status = Status(row.status) if row.status else None
    return Answer(row.id, row.place, row.ts, status, row.comment, row.people, row.geo_uri, CameBy(row.channel),
                  row.entered_by)


def _as_line(row: Any) -> Line:
    status = Status(row.status) if row.status else None
    standing = standing_of(status, has_read=row.read_ts is not None, has_app=row.room_id is not None)
    current = Current(status, row.answered_ts, row.comment, row.people, row.geo_uri,
                      CameBy(row.channel) if row.channel else None, row.entered_by)
    return Line(row.person_id, row.household_id, row.block_id, standing, current)


def _key(prompt: Prompt) -> dict[str, str]:
    return {"of_check": prompt.check_id, "of_person": prompt.person_id}
