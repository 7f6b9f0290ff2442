"""Tables ``circulars``, ``circular_rooms``, ``circular_attachments`` and ``circular_marks``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, func, or_, select, text, update

from server.association.circulars.model import Attachment, Category, Circular, State
from server.association.circulars.writings import writings_of
from server.association.members.model import Audience
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

circulars: Final = Table(
    "circulars", metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("deadline", BigInteger),
    Column("attachments", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("is_important", Integer, nullable=False),
)
circular_rooms: Final = Table(
    "circular_rooms", metadata,
    Column("circular_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
)
circular_attachments: Final = Table(
    "circular_attachments", metadata,
    Column("event_id", Text, primary_key=True),
    Column("circular_id", Text, nullable=False),
    Column("room_id", Text, nullable=False),
    Column("url", Text, nullable=False),
)
circular_marks: Final = Table(
    "circular_marks", metadata,
    Column("id", Text, primary_key=True),
    Column("circular_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("household_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("entered_by", Text, nullable=False),
)

KIND_OPENED: Final = "opened"
KIND_ACKNOWLEDGED: Final = "acknowledged"
KIND_PAPER: Final = "paper"
KIND_PHONE: Final = "phone"
KIND_SEEN: Final = "seen"

_NEWER: Final = "excluded.revision > circulars.revision"
_SET: Final = upsert(circulars, replace=[
    "title", "text", "category", "state", "revision", "changed_ts", "deadline", "attachments", "reason",
    "is_important",
], only_if=_NEWER)
# A withdrawal says no more what the circular said; here it stays for the officers.
_WITHDRAW: Final = upsert(circulars, replace=["state", "revision", "changed_ts", "reason"], only_if=_NEWER)
_ADD_ROOM: Final = upsert(circular_rooms, replace=())
_SET_REVISION: Final = (
    update(circular_rooms)
    .where(circular_rooms.c.event_id == bindparam("root"), circular_rooms.c.revision < bindparam("new"))
    .values(revision=bindparam("new"))
)
_ADD_ATTACHMENT: Final = upsert(circular_attachments, replace=())
_DROP_ATTACHMENT: Final = delete(circular_attachments).where(circular_attachments.c.event_id == bindparam("event"))
_ADD_MARK: Final = upsert(circular_marks, replace=())
_DROP_MARK: Final = delete(circular_marks).where(circular_marks.c.id == bindparam("mark"))
_PARAMETERS: Final = [
    bindparam(name, type_=BigInteger() if name == "ts" else Text())
    for name in ("id", "person_id", "kind", "ts", "target", "room_id")
]
# Which circular a reaction is about is looked up where it is written, so the projection needs no index in memory.
_ACKNOWLEDGE: Final = text(
    "INSERT INTO circular_marks (id, circular_id, person_id, household_id, kind, ts, entered_by) "
    "SELECT :id, circular_id, :person_id, '', :kind, :ts, '' FROM circular_rooms "
    "WHERE event_id = :target AND room_id = :room_id ON CONFLICT (id) DO NOTHING"
).bindparams(*_PARAMETERS)
_OPEN: Final = text(
    "INSERT INTO circular_marks (id, circular_id, person_id, household_id, kind, ts, entered_by) "
    "SELECT :id, id, :person_id, '', :kind, :ts, '' FROM circulars WHERE id = :target ON CONFLICT (id) DO NOTHING"
).bindparams(*_PARAMETERS[:-1])
# When somebody has read up to a circular for the first time; only what went round lately, so that a node which has just
# begun to note this does not take today for the day on which old ones were seen.
_SEE: Final = text(
    "INSERT INTO circular_marks (id, circular_id, person_id, household_id, kind, ts, entered_by) "
    "SELECT 'seen ' || r.circular_id || ' ' || :person_id, r.circular_id, :person_id, '', :kind, :ts, '' "
    "FROM circular_rooms r JOIN circulars c ON c.id = r.circular_id WHERE r.room_id = :room_id "
    "AND r.position <= :position AND c.created_ts >= :since AND (:thread = '' OR r.event_id = :thread) "
    "ON CONFLICT (id) DO NOTHING"
).bindparams(
    bindparam("person_id", type_=Text()), bindparam("kind", type_=Text()), bindparam("ts", type_=BigInteger()),
    bindparam("room_id", type_=Text()), bindparam("position", type_=BigInteger()),
    bindparam("since", type_=BigInteger()), bindparam("thread", type_=Text()),
)


class CircularRoom(NamedTuple):
    """A circular in one room: its message, where that stands in the stream, and which revision it shows."""

    circular_id: str
    room_id: str
    event_id: str
    position: int
    revision: int


class Mark(NamedTuple):
    """Somebody has opened or acknowledged a circular, or a household has it on paper."""

    id: str
    circular_id: str
    person_id: str
    household_id: str
    kind: str
    ts: int
    entered_by: str


def set_circular(writes: Writes, circular: Circular) -> None:
    """Store a circular, or a newer revision of it."""
    writes.add(_WITHDRAW if circular.state is State.WITHDRAWN else _SET, {
        "id": circular.id, "title": circular.title, "text": circular.text, "category": circular.category.value,
        "audience": str(circular.audience), "issuer": circular.issuer, "state": circular.state.value,
        "revision": circular.revision, "created_ts": circular.created_ts, "changed_ts": circular.changed_ts,
        "deadline": circular.deadline, "reason": circular.reason, "upstream": circular.upstream,
        "is_important": int(circular.is_important),
        "attachments": orjson.dumps([item.as_json() for item in circular.attachments]).decode(),
    })


def add_room(writes: Writes, place: CircularRoom) -> None:
    """Store that a circular stands in a room."""
    writes.add(_ADD_ROOM, place._asdict())


def set_revision(writes: Writes, event_id: str, revision: int) -> None:
    """Store which revision a room's message shows."""
    writes.add(_SET_REVISION, {"root": event_id, "new": revision})


def add_attachment(writes: Writes, event_id: str, circular_id: str, room_id: str, url: str) -> None:
    """Store that a file stands in a room's thread."""
    writes.add(_ADD_ATTACHMENT, {"event_id": event_id, "circular_id": circular_id, "room_id": room_id, "url": url})


def forget_event(writes: Writes, event_id: str) -> None:
    """An event was deleted: a file, or the reaction that acknowledged."""
    writes.add(_DROP_ATTACHMENT, {"event": event_id})
    writes.add(_DROP_MARK, {"mark": event_id})


def acknowledge(writes: Writes, mark_id: str, person_id: str, room_id: str, target: str, ts: int) -> None:
    """Store that a person has acknowledged the circular whose message is ``target``, if it is one."""
    writes.add(_ACKNOWLEDGE, {
        "id": mark_id, "person_id": person_id, "kind": KIND_ACKNOWLEDGED, "ts": ts, "target": target,
        "room_id": room_id,
    })


def note_opened(writes: Writes, mark_id: str, person_id: str, circular_id: str, ts: int) -> None:
    """Store that a person has opened a circular, if there is one of that id."""
    writes.add(_OPEN, {"id": mark_id, "person_id": person_id, "kind": KIND_OPENED, "ts": ts, "target": circular_id})


def note_seen(writes: Writes, person_id: str, place: tuple[str, int, str], ts: int, since: int) -> None:
    """Store that a person has read up to a position: ``place`` is room, position and thread (empty: the room).

    Of circulars posted before ``since`` nothing is noted.
    """
    room_id, position, thread = place
    writes.add(_SEE, {"person_id": person_id, "kind": KIND_SEEN, "ts": ts, "room_id": room_id, "position": position,
                      "since": since, "thread": thread})


def add_mark(writes: Writes, mark: Mark) -> None:
    """Store a mark that an officer enters."""
    writes.add(_ADD_MARK, mark._asdict())


def drop_mark(writes: Writes, mark_id: str) -> None:
    """Take a mark back."""
    writes.add(_DROP_MARK, {"mark": mark_id})


async def find_circular(database: Database, circular_id: str) -> Circular | None:
    """One circular."""
    row = await database.fetch_one(select(circulars).where(circulars.c.id == circular_id))
    return None if row is None else _as_circular(row)


async def circulars_before(
    database: Database, limit: int, before: tuple[int, str] | None = None, words: Sequence[str] = ()
) -> list[Circular]:
    """Circulars, newest first, on from ``before`` (time, id); each of ``words`` stands in it or names a file."""
    c = circulars.c
    statement = select(circulars).order_by(c.created_ts.desc(), c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(or_(
            c.created_ts < before[0], (c.created_ts == before[0]) & (c.id < before[1])))
    for word in words:
        # Beside the names of files stand addresses and types, in which a short word of ASCII is found anywhere.
        places = (c.title, c.text) if word.isascii() else (c.title, c.text, c.attachments)
        wanted = [f"%{_escaped(one)}%" for one in writings_of(word)]
        statement = statement.where(or_(*(
            func.lower(place).like(one, escape="\\") for one in wanted for place in places)))
    return [_as_circular(row) for row in await database.fetch_all(statement)]


async def changed_lately(database: Database, limit: int) -> list[Circular]:
    """The circulars that were posted or changed last."""
    rows = await database.fetch_all(select(circulars).order_by(circulars.c.changed_ts.desc()).limit(limit))
    return [_as_circular(row) for row in rows]


async def rooms_of(database: Database, circular_ids: Sequence[str]) -> list[CircularRoom]:
    """Where circulars stand."""
    if not circular_ids:
        return []
    rows = await database.fetch_all(
        select(circular_rooms).where(circular_rooms.c.circular_id.in_(list(circular_ids)))
        .order_by(circular_rooms.c.position))
    return [CircularRoom(*row) for row in rows]


async def rooms_with_circulars(database: Database) -> dict[str, int]:
    """All rooms in which a circular stands, with the position of the newest."""
    r = circular_rooms.c
    rows = await database.fetch_all(select(r.room_id, func.max(r.position)).group_by(r.room_id))
    return {str(row[0]): int(row[1]) for row in rows}


async def attachments_of(database: Database, circular_id: str) -> dict[tuple[str, str], str]:
    """The files that stand in threads: by room and URL the event."""
    a = circular_attachments.c
    rows = await database.fetch_all(select(a.room_id, a.url, a.event_id).where(a.circular_id == circular_id))
    return {(row[0], row[1]): row[2] for row in rows}


async def marks_of(database: Database, circular_id: str) -> list[Mark]:
    """All marks of a circular."""
    rows = await database.fetch_all(select(circular_marks).where(circular_marks.c.circular_id == circular_id))
    return [Mark(*row) for row in rows]


async def circulars_between(database: Database, first_ts: int, last_ts: int) -> list[Circular]:
    """The circulars that were posted in a time, oldest first."""
    c = circulars.c
    wanted = select(circulars).where(c.created_ts >= first_ts, c.created_ts < last_ts).order_by(c.created_ts, c.id)
    return [_as_circular(row) for row in await database.fetch_all(wanted)]


async def marks_of_circulars(database: Database, first_ts: int, last_ts: int) -> dict[str, list[Mark]]:
    """All marks of the circulars that were posted in a time, by circular."""
    m, c = circular_marks.c, circulars.c
    wanted = select(circular_marks).join(circulars, c.id == m.circular_id).where(
        c.created_ts >= first_ts, c.created_ts < last_ts)
    found: dict[str, list[Mark]] = {}
    for row in await database.fetch_all(wanted):
        found.setdefault(row.circular_id, []).append(Mark(*row))
    return found


async def marks_of_person(database: Database, person_id: str, circular_ids: Sequence[str]) -> list[Mark]:
    """One person's marks on some circulars."""
    if not circular_ids:
        return []
    m = circular_marks.c
    rows = await database.fetch_all(
        select(circular_marks).where(m.person_id == person_id, m.circular_id.in_(list(circular_ids))))
    return [Mark(*row) for row in rows]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _as_circular(row: Any) -> Circular:
    attachments = tuple(Attachment.from_json(item) for item in orjson.loads(row.attachments))
    return Circular(
        row.id, row.title, row.text, Category(row.category), Audience.parse(row.audience), row.issuer, State(row.state),
        row.revision, row.created_ts, row.changed_ts, row.deadline, attachments, row.reason, row.upstream,
        bool(row.is_important),
    )
