"""Tables ``polls``, ``poll_rooms`` and ``poll_answers``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, func, select, update

from server.association.members.model import Audience
from server.association.polls.model import Answer, Channel, Poll, State
from server.association.polls.open_polls import OpenPoll, PollRoom
from server.rooms.poll_events import Choice
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

polls: Final = Table(
    "polls", metadata,
    Column("id", Text, primary_key=True),
    Column("question", Text, nullable=False),
    Column("choices", Text, nullable=False),
    Column("most", Integer, nullable=False),
    Column("disclosed", Integer, nullable=False),
    Column("audience", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("deadline", BigInteger),
    Column("closed_ts", BigInteger),
)
poll_rooms: Final = Table(
    "poll_rooms", metadata,
    Column("poll_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("message_event", Text),
    Column("poll_event", Text),
    Column("ended", Integer, nullable=False),
    Column("told", Integer, nullable=False),
)
poll_answers: Final = Table(
    "poll_answers", metadata,
    Column("id", Text, primary_key=True),
    Column("poll_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("withdrawn", Integer, nullable=False),
)

# A poll is never opened again, so an open one that is read once more (replay) changes nothing.
_SET_POLL: Final = upsert(polls, replace=["state", "closed_ts"], only_if="excluded.state = 'closed'")
_SET_ROOM: Final = upsert(poll_rooms)
_ADD_ANSWER: Final = upsert(poll_answers, replace=())
_WITHDRAW: Final = (
    update(poll_answers)
    .where(poll_answers.c.id == bindparam("answer"), poll_answers.c.poll_id == bindparam("of_poll"))
    .values(withdrawn=1)
)


def set_poll(writes: Writes, poll: Poll) -> None:
    """Store a poll, or that it is closed."""
    writes.add(_SET_POLL, {
        "id": poll.id, "question": poll.question,
        "choices": orjson.dumps([[choice.id, choice.text] for choice in poll.choices]).decode(),
        "most": poll.most, "disclosed": int(poll.disclosed), "audience": str(poll.audience), "issuer": poll.issuer,
        "state": poll.state.value, "created_ts": poll.created_ts, "deadline": poll.deadline,
        "closed_ts": poll.closed_ts,
    })


def set_room(writes: Writes, poll_id: str, room: PollRoom) -> None:
    """Store how far a poll is in a room."""
    writes.add(_SET_ROOM, {
        "poll_id": poll_id, "room_id": room.room_id, "message_event": room.message_event,
        "poll_event": room.poll_event, "ended": int(room.ended), "told": int(room.told),
    })


def add_answer(writes: Writes, poll_id: str, answer: Answer) -> None:
    """Store an answer; the same one twice is once."""
    writes.add(_ADD_ANSWER, {
        "id": answer.id, "poll_id": poll_id, "person_id": answer.person_id, "place": answer.place, "ts": answer.ts,
        "chosen": orjson.dumps(answer.chosen).decode(), "channel": answer.channel.value,
        "entered_by": answer.entered_by, "withdrawn": 0,
    })


def withdraw_answer(writes: Writes, poll_id: str, answer_id: str) -> None:
    """Store that an answer was taken back, if it is one."""
    writes.add(_WITHDRAW, {"of_poll": poll_id, "answer": answer_id})


async def load_unfinished(database: Database) -> list[OpenPoll]:
    """Polls that take answers, or that are not ended and told in all rooms, oldest first."""
    unfinished = select(poll_rooms.c.poll_id).where((poll_rooms.c.ended == 0) | (poll_rooms.c.told == 0))
    rows = await database.fetch_all(
        select(polls).where((polls.c.state == State.OPEN.value) | polls.c.id.in_(unfinished))
        .order_by(polls.c.created_ts))
    return [await _load_one(database, _as_poll(row)) for row in rows]


async def find_poll(database: Database, poll_id: str) -> Poll | None:
    """One poll, open or closed."""
    row = await database.fetch_one(select(polls).where(polls.c.id == poll_id))
    return None if row is None else _as_poll(row)


async def polls_newest_first(database: Database, limit: int, before_ts: int | None = None) -> list[Poll]:
    """A page of all polls."""
    statement = select(polls).order_by(polls.c.created_ts.desc()).limit(limit)
    if before_ts is not None:
        statement = statement.where(polls.c.created_ts < before_ts)
    return [_as_poll(row) for row in await database.fetch_all(statement)]


async def open_polls_of(database: Database) -> list[Poll]:
    """All open polls, newest first."""
    rows = await database.fetch_all(
        select(polls).where(polls.c.state == State.OPEN.value).order_by(polls.c.created_ts.desc()))
    return [_as_poll(row) for row in rows]


async def answers_of(database: Database, poll_id: str, person_id: str | None = None) -> list[Answer]:
    """The answers that were not taken back, of all or of one person, in the order in which they came."""
    a = poll_answers.c
    statement = select(poll_answers).where(a.poll_id == poll_id, a.withdrawn == 0).order_by(a.place)
    if person_id is not None:
        statement = statement.where(a.person_id == person_id)
    rows: Sequence[Any] = await database.fetch_all(statement)
    return [
        Answer(row.id, row.person_id, row.place, row.ts, tuple(orjson.loads(row.chosen)), Channel(row.channel),
               row.entered_by)
        for row in rows
    ]


async def _load_one(database: Database, poll: Poll) -> OpenPoll:
    last = await database.fetch_one(
        select(func.max(poll_answers.c.place)).where(poll_answers.c.poll_id == poll.id))
    going = OpenPoll(poll, last_place=int(last[0] or 0) if last else 0)
    for row in await database.fetch_all(select(poll_rooms).where(poll_rooms.c.poll_id == poll.id)):
        going.rooms[row.room_id] = PollRoom(
            row.room_id, row.message_event, row.poll_event, bool(row.ended), bool(row.told))
    return going


def _as_poll(row: Any) -> Poll:
    choices = tuple(Choice(choice[0], choice[1]) for choice in orjson.loads(row.choices))
    return Poll(row.id, row.question, choices, row.most, bool(row.disclosed), Audience.parse(row.audience), row.issuer,
                State(row.state), row.created_ts, row.deadline, row.closed_ts)
