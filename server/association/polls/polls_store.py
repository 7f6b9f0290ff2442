"""Tables ``polls``, ``poll_rooms``, ``poll_answers`` and ``poll_voters``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, func, select, update

from server.association.members.came_by import CameBy
from server.association.members.model import Audience
from server.association.polls.counting import Answer, Voice, Voter
from server.association.polls.model import Counting, Poll, State
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
    Column("counting", Text, nullable=False),
    Column("disclosed", Integer, nullable=False),
    Column("audience", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("native", Integer, nullable=False),
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
    Column("unit", Text, nullable=False),
    Column("voice", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("adds", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("withdrawn", Integer, nullable=False),
)
poll_voters: Final = Table(
    "poll_voters", metadata,
    Column("poll_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("household_id", Text, nullable=False),
    Column("block_id", Text, nullable=False),
)

# A poll is never opened again, so an open one that is read once more (replay) changes nothing; and the first end holds.
_SET_POLL: Final = upsert(
    polls, replace=["state", "closed_ts"], only_if="polls.state = 'open' AND excluded.state <> 'open'")
_SET_QUESTION: Final = update(polls).where(polls.c.id == bindparam("of_poll")).values(
    question=bindparam("new_question"), choices=bindparam("new_choices"), most=bindparam("new_most"),
    disclosed=bindparam("new_disclosed"))
_SET_ROOM: Final = upsert(poll_rooms)
_ADD_ANSWER: Final = upsert(poll_answers, replace=())
_ADD_VOTER: Final = upsert(poll_voters, replace=())
_WITHDRAW: Final = (
    update(poll_answers)
    .where(poll_answers.c.id == bindparam("answer"), poll_answers.c.poll_id == bindparam("of_poll"))
    .values(withdrawn=1)
)


def set_poll(writes: Writes, poll: Poll) -> None:
    """Store a poll, or that it is over."""
    writes.add(_SET_POLL, {
        "id": poll.id, "question": poll.question, "choices": _choices_text(poll), "most": poll.most,
        "counting": poll.counting.value, "disclosed": int(poll.disclosed), "audience": str(poll.audience),
        "issuer": poll.issuer, "native": int(poll.native), "state": poll.state.value, "created_ts": poll.created_ts,
        "deadline": poll.deadline, "closed_ts": poll.closed_ts,
    })


def set_question(writes: Writes, poll: Poll) -> None:
    """Store what a poll asks after it was edited."""
    writes.add(_SET_QUESTION, {
        "of_poll": poll.id, "new_question": poll.question, "new_choices": _choices_text(poll), "new_most": poll.most,
        "new_disclosed": int(poll.disclosed),
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
        "id": answer.id, "poll_id": poll_id, "unit": answer.voice.unit.value, "voice": answer.voice.id,
        "place": answer.place, "ts": answer.ts, "chosen": orjson.dumps(answer.chosen).decode(),
        "adds": int(answer.adds), "channel": answer.channel.value, "entered_by": answer.entered_by, "withdrawn": 0,
    })


def withdraw_answer(writes: Writes, poll_id: str, answer_id: str) -> None:
    """Store that an answer was taken back, if it is one."""
    writes.add(_WITHDRAW, {"of_poll": poll_id, "answer": answer_id})


def add_voter(writes: Writes, poll_id: str, voter: Voter) -> None:
    """Store that somebody had a voice when the poll was closed."""
    writes.add(_ADD_VOTER, {"poll_id": poll_id, "person_id": voter.person_id, "household_id": voter.household_id,
                            "block_id": voter.block_id})


async def voters_of(database: Database, poll_id: str) -> list[Voter]:
    """Who had a voice when the poll was closed; nobody while it is open."""
    rows = await database.fetch_all(select(poll_voters).where(poll_voters.c.poll_id == poll_id))
    return [Voter(row.person_id, row.household_id, row.block_id) for row in rows]


async def load_unfinished(database: Database) -> list[OpenPoll]:
    """Polls that take answers, or that are closed and owe something to a room, oldest first."""
    r = poll_rooms.c
    owing = select(r.poll_id).where((r.ended == 0) & r.poll_event.is_not(None)
                                    | (r.told == 0) & r.message_event.is_not(None))
    rows = await database.fetch_all(
        select(polls)
        .where((polls.c.state == State.OPEN.value) | (polls.c.state == State.CLOSED.value) & polls.c.id.in_(owing))
        .order_by(polls.c.created_ts, polls.c.id))
    return [await _load_one(database, _as_poll(row)) for row in rows]


async def find_poll(database: Database, poll_id: str) -> Poll | None:
    """One poll, open or over."""
    row = await database.fetch_one(select(polls).where(polls.c.id == poll_id))
    return None if row is None else _as_poll(row)


async def polls_in(
    database: Database, states: Sequence[State], limit: int, before_ts: int | None = None
) -> list[Poll]:
    """A page of the polls in some states, newest first."""
    wanted = [state.value for state in states]
    statement = select(polls).where(polls.c.state.in_(wanted)).order_by(polls.c.created_ts.desc(), polls.c.id)
    if before_ts is not None:
        statement = statement.where(polls.c.created_ts < before_ts)
    return [_as_poll(row) for row in await database.fetch_all(statement.limit(limit))]


async def answers_of(database: Database, poll_id: str) -> list[Answer]:
    """The answers to a poll that were not taken back, in the order in which they came."""
    a = poll_answers.c
    rows = await database.fetch_all(
        select(poll_answers).where(a.poll_id == poll_id, a.withdrawn == 0).order_by(a.place, a.id))
    return [_as_answer(row) for row in rows]


async def answers_by(database: Database, voices: Sequence[str], poll_ids: Sequence[str]) -> dict[str, list[Answer]]:
    """By poll, the answers of some persons or households that were not taken back."""
    a = poll_answers.c
    rows = await database.fetch_all(
        select(poll_answers).where(a.voice.in_(voices), a.poll_id.in_(poll_ids), a.withdrawn == 0).order_by(a.place))
    found: dict[str, list[Answer]] = {}
    for row in rows:
        found.setdefault(row.poll_id, []).append(_as_answer(row))
    return found


async def _load_one(database: Database, poll: Poll) -> OpenPoll:
    last = await database.fetch_one(
        select(func.max(poll_answers.c.place)).where(poll_answers.c.poll_id == poll.id))
    going = OpenPoll(poll, last_place=int(last[0] or 0) if last else 0)
    for row in await database.fetch_all(select(poll_rooms).where(poll_rooms.c.poll_id == poll.id)):
        going.rooms[row.room_id] = PollRoom(
            row.room_id, row.message_event, row.poll_event, bool(row.ended), bool(row.told))
    return going


def _choices_text(poll: Poll) -> str:
    return orjson.dumps([[choice.id, choice.text] for choice in poll.choices]).decode()


def _as_answer(row: Any) -> Answer:
    return Answer(
        id=row.id, voice=Voice(Counting(row.unit), row.voice), place=row.place, ts=row.ts,
        chosen=tuple(orjson.loads(row.chosen)), adds=bool(row.adds), channel=CameBy(row.channel),
        entered_by=row.entered_by,
    )


def _as_poll(row: Any) -> Poll:
    return Poll(
        id=row.id, question=row.question, most=row.most, counting=Counting(row.counting), disclosed=bool(row.disclosed),
        choices=tuple(Choice(choice[0], choice[1]) for choice in orjson.loads(row.choices)),
        audience=Audience.parse(row.audience), issuer=row.issuer, created_ts=row.created_ts, state=State(row.state),
        deadline=row.deadline, closed_ts=row.closed_ts, native=bool(row.native),
    )
