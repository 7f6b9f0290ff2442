"""Tables ``things_given``, ``things_taken`` and ``bookings_asked``.

Loaded at the start, since what was given must be written in the transaction of the event that tells it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, bindparam, delete, func, select, update

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

things_given: Final = Table(
    "things_given", metadata,
    Column("room_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
things_taken: Final = Table(
    "things_taken", metadata,
    Column("room_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("received_ts", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
bookings_asked: Final = Table(
    "bookings_asked", metadata,
    Column("id", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("facility_id", Text, nullable=False),
    Column("facility", Text, nullable=False),
    Column("starts", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("asked_ts", BigInteger, nullable=False),
    Column("is_cancelled", Integer, nullable=False),
)

_GIVE: Final = upsert(things_given)
_FORGET_GIVEN: Final = delete(things_given).where(things_given.c.room_id == bindparam("room"))
_TAKE: Final = upsert(things_taken, replace=["revision", "content", "received_ts"])
_FORGET_TAKEN: Final = delete(things_taken).where(things_taken.c.room_id == bindparam("room"))
_NOTHING: Final = b"{}"
_DROP_GONE: Final = delete(things_taken).where(
    things_taken.c.content == bindparam("nothing"), things_taken.c.received_ts < bindparam("before"))
_NOTE: Final = update(things_taken).where(
    things_taken.c.room_id == bindparam("room"), things_taken.c.kind == bindparam("sort"),
    things_taken.c.id == bindparam("thing")).values(note=bindparam("words"))
_ASK: Final = upsert(bookings_asked)
_FORGET_PERSON: Final = delete(bookings_asked).where(bookings_asked.c.person == bindparam("gone"))


class Given(NamedTuple):
    """What a neighbour was told last of one thing."""

    room_id: str
    kind: str
    id: str
    digest: str
    revision: int


class Taken(NamedTuple):
    """What a neighbour has told us last of one thing. An empty ``value``: it is gone."""

    room_id: str
    kind: str
    id: str
    revision: int
    value: dict[str, Any]
    received_ts: int
    note: str = ""


class Asked(NamedTuple):
    """What one of our residents (``person``, an id of the roster) has asked of a neighbour's facility."""

    id: str
    room_id: str
    person: str
    facility_id: str
    facility: str
    starts: str
    ends: str
    title: str
    asked_ts: int
    is_cancelled: bool = False


def digest_of(value: object) -> str:
    """The same for the same thing."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def note_given(writes: Writes, room_id: str, told: object) -> None:
    """Our own account has told a thing: kept in the transaction of that event. ``told`` is the value of the key."""
    if isinstance(told, dict) and told.keys() == {"kind", "id", "revision", "thing"}:
        writes.add(_GIVE, {
            "room_id": room_id, "kind": str(told["kind"]), "id": str(told["id"]), "digest": digest_of(told["thing"]),
            "revision": int(told["revision"]),
        })


async def given_in(database: Database, room_id: str) -> dict[tuple[str, str], Given]:
    """What was told in a room, by kind and id."""
    rows = await database.fetch_all(select(things_given).where(things_given.c.room_id == room_id))
    return {(row.kind, row.id): Given(*row) for row in rows}


def take(writes: Writes, taken: Taken) -> None:
    """Keep what a neighbour tells; what became of it here (``note``) stays."""
    writes.add(_TAKE, {**taken._asdict(), "content": orjson.dumps(taken.value)} | {"note": taken.note})


def drop_gone(writes: Writes, before_ms: int) -> None:
    """What was gone long ago need not be remembered."""
    writes.add(_DROP_GONE, {"nothing": _NOTHING, "before": before_ms})


def set_note(writes: Writes, taken: Taken, note: str) -> None:
    """Keep what became of it here."""
    writes.add(_NOTE, {"room": taken.room_id, "sort": taken.kind, "thing": taken.id, "words": note})


async def find_taken(database: Database, room_id: str, kind: str, thing_id: str) -> Taken | None:
    """One thing, also one that is gone."""
    c = things_taken.c
    row = await database.fetch_one(
        select(things_taken).where(c.room_id == room_id, c.kind == kind, c.id == thing_id))
    return None if row is None else _as_taken(row)


async def taken_of(database: Database, kind: str, rooms: Iterable[str]) -> list[Taken]:
    """All things of a kind that neighbours have told, without those that are gone."""
    c = things_taken.c
    rows = await database.fetch_all(
        select(things_taken).where(c.kind == kind, c.room_id.in_(list(rooms))).order_by(c.room_id, c.id))
    return [found for row in rows if (found := _as_taken(row)).value]


async def count_taken(database: Database, room_id: str, kind: str) -> tuple[int, int]:
    """How many things there are of a kind of one neighbour, and how many rows with those that are gone."""
    c = things_taken.c
    rows = await database.fetch_all(
        select(c.content == _NOTHING, func.count()).where(c.room_id == room_id, c.kind == kind)
        .group_by(c.content == _NOTHING))
    counted = {bool(row[0]): int(row[1]) for row in rows}
    return counted.get(False, 0), sum(counted.values())


async def newest_received(database: Database) -> int:
    """When the last thing of a neighbour came (ms)."""
    row = await database.fetch_one(select(func.max(things_taken.c.received_ts)))
    return 0 if row is None or row[0] is None else int(row[0])


def forget_room(writes: Writes, room_id: str) -> None:
    """A share is over: nothing of theirs stays here, and nothing is remembered as told."""
    writes.add(_FORGET_TAKEN, {"room": room_id})
    writes.add(_FORGET_GIVEN, {"room": room_id})


def ask(writes: Writes, asked: Asked) -> None:
    """Keep what a resident asks, or that they have taken it back."""
    writes.add(_ASK, {**asked._asdict(), "is_cancelled": int(asked.is_cancelled)})


def forget_person(writes: Writes, person: str) -> None:
    """Whoever has left has asked for nothing."""
    writes.add(_FORGET_PERSON, {"gone": person})


async def asked_in(database: Database, room_id: str, since: str) -> list[Asked]:
    """What was asked of one neighbour and ends after ``since`` (ISO 8601, Japan)."""
    c = bookings_asked.c
    rows = await database.fetch_all(
        select(bookings_asked).where(c.room_id == room_id, c.ends > since).order_by(c.asked_ts, c.id))
    return [_as_asked(row) for row in rows]


async def asked_by(database: Database, person: str) -> list[Asked]:
    """What one resident has asked, the newest first."""
    c = bookings_asked.c
    rows = await database.fetch_all(
        select(bookings_asked).where(c.person == person).order_by(c.asked_ts.desc(), c.id).limit(100))
    return [_as_asked(row) for row in rows]


def _as_taken(row: Any) -> Taken:
    return Taken(row.room_id, row.kind, row.id, row.revision, orjson.loads(row.content), row.received_ts, row.note)


def _as_asked(row: Any) -> Asked:
    return Asked(*row)._replace(is_cancelled=bool(row.is_cancelled))
