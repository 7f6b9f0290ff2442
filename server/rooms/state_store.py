"""Tables ``rooms``, ``state_snapshots``, ``state_deltas``, ``current_state`` and ``memberships``.

A snapshot is what one event changed of the state before it; its number is that event's stream position. The state
after any event is found by walking from its snapshot towards the first. Every ``WHOLE_EVERY`` steps a snapshot is
written whole, so that the walk stays short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from server.rooms.event import Event, StateKey
from server.rooms.event_store import SEEN, events, read_event
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.room_versions import room_version
from server.rooms.timeline import OUTLIER, UNSEEN
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

WHOLE_EVERY: Final = 200

rooms: Final = Table(
    "rooms", metadata,
    Column("nid", BigInteger, primary_key=True, autoincrement=False),
    Column("room_id", Text, nullable=False, unique=True),
    Column("version", Text, nullable=False),
    Column("depth", BigInteger, nullable=False),
    Column("extremities", Text, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("chain", Integer, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("outside", Integer, nullable=False),
)
state_snapshots: Final = Table(
    "state_snapshots", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("parent", BigInteger),
)
state_deltas: Final = Table(
    "state_deltas", metadata,
    Column("snapshot", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True),
    Column("state_key", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
)
current_state: Final = Table(
    "current_state", metadata,
    Column("room", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True),
    Column("state_key", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
)
memberships: Final = Table(
    "memberships", metadata,
    Column("user_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("membership", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("stream", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("forgotten", Integer, nullable=False),
)

_INSERT_ROOM: Final = insert(rooms)
_MOVE_TIP: Final = (
    update(rooms).where(rooms.c.nid == bindparam("room"))
    .values(depth=bindparam("new_depth"), extremities=bindparam("ends"), snapshot=bindparam("state"),
            chain=bindparam("length"))
)
_INSERT_SNAPSHOT: Final = insert(state_snapshots)
_INSERT_DELTA: Final = insert(state_deltas)
_SET_STATE: Final = upsert(current_state)
_DROP_STATE: Final = (
    delete(current_state).where(current_state.c.room == bindparam("of"), current_state.c.type == bindparam("kind"))
    .where(current_state.c.state_key == bindparam("key"))
)
_SET_MEMBERSHIP: Final = upsert(memberships)
_STAY: Final = upsert(memberships, replace=("event_id", "sender"))
_LIST: Final = update(rooms).where(rooms.c.nid == bindparam("room")).values(listed=bindparam("shown"))
_SET_OUTSIDE: Final = update(rooms).where(rooms.c.nid == bindparam("room")).values(outside=bindparam("whether"))
_FORGET: Final = (
    update(memberships)
    .where(memberships.c.user_id == bindparam("who"), memberships.c.room_id == bindparam("where"))
    .where(or_(memberships.c.membership == "leave", memberships.c.membership == "ban")).values(forgotten=1)
)
_STATE_AT: Final = text(
    "WITH RECURSIVE walk(id, parent, step) AS ("
    " SELECT id, parent, 0 FROM state_snapshots WHERE id = :snapshot"
    " UNION ALL SELECT s.id, s.parent, walk.step + 1 FROM state_snapshots s JOIN walk ON s.id = walk.parent)"
    " SELECT d.type, d.state_key, d.event_id, walk.step FROM walk JOIN state_deltas d ON d.snapshot = walk.id"
    " ORDER BY walk.step DESC"
)
# Prepared once: building a statement costs as much as running it.
_ROOMS: Final = select(rooms).where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
_CURRENT_STATE: Final = (
    select(current_state.c.room, events.c.event_id, events.c.json)
    .select_from(current_state.join(events, current_state.c.event_id == events.c.event_id))
    .where(current_state.c.room.in_(bindparam("nids", expanding=True)))
)
_MEMBERSHIPS: Final = select(memberships).where(memberships.c.user_id == bindparam("who"))
_STATE_HISTORY: Final = (
    select(events.c.stream, events.c.event_id, events.c.json)
    .where(events.c.room == bindparam("nid"), events.c.type == bindparam("kind"))
    .where(events.c.state_key == bindparam("key"), events.c.state_key.is_not(None))
    .where(SEEN).order_by(events.c.stream)
)
_STATE_HISTORIES: Final = (
    select(events.c.room, events.c.stream, events.c.event_id, events.c.json)
    .where(events.c.room.in_(bindparam("nids", expanding=True)), events.c.type == bindparam("kind"))
    .where(events.c.state_key == bindparam("key"), events.c.state_key.is_not(None))
    .where(SEEN).order_by(events.c.stream)
)


class Membership(NamedTuple):
    """A user's place in a room, since which stream position, and by which event of whom.

    ``stream`` is when they came in (or went); changes of their name later do not move it.
    """

    room_id: str
    membership: str
    event_id: str
    stream: int
    sender: str
    forgotten: bool


def add_room(writes: Writes, room: LiveRoom) -> None:
    """Store a new room, before its first event."""
    writes.add(_INSERT_ROOM, {
        "nid": room.nid, "room_id": room.room_id, "version": room.version.name, "depth": 0, "extremities": "[]",
        "snapshot": 0, "chain": 0, "listed": int(room.listed), "outside": int(room.outside),
    })


def move_tip(writes: Writes, room: LiveRoom) -> None:
    """Store where the room's next event goes on."""
    tip = room.tip
    writes.add(_MOVE_TIP, {
        "room": room.nid, "new_depth": tip.depth, "ends": orjson.dumps(tip.extremities).decode(),
        "state": tip.snapshot, "length": tip.chain,
    })


def add_snapshot(writes: Writes, snapshot: int, parent: int | None, changed: Iterable[Event]) -> None:
    """Store a snapshot of the state: ``changed`` over ``parent``, or whole where there is no parent."""
    writes.add(_INSERT_SNAPSHOT, {"id": snapshot, "parent": parent})
    for event in changed:
        writes.add(_INSERT_DELTA, {
            "snapshot": snapshot, "type": event.type, "state_key": event.state_key, "event_id": event.event_id,
        })


def set_current_state(
    writes: Writes, room: LiveRoom, event: Event, stream: int, replaced: Event | None = None
) -> None:
    """Store that ``event`` is now the state of its key, in place of ``replaced``."""
    writes.add(_SET_STATE, {
        "room": room.nid, "type": event.type, "state_key": event.state_key, "event_id": event.event_id,
    })
    if event.type == "m.room.member":
        stays = event.content.get("membership") == "join" == (replaced.content if replaced else {}).get("membership")
        # Who stays and shows another name keeps the position since which they are here.
        writes.add(_STAY if stays else _SET_MEMBERSHIP, {
            "user_id": event.state_key, "room_id": room.room_id,
            "membership": str(event.content.get("membership", "leave")), "event_id": event.event_id,
            "stream": stream, "sender": event.sender, "forgotten": 0,
        })


def drop_current_state(writes: Writes, room: LiveRoom, key: StateKey, stream: int) -> None:
    """Store that the room has no state of this key any more: a resolution has left none."""
    kind, state_key = key
    writes.add(_DROP_STATE, {"of": room.nid, "kind": kind, "key": state_key})
    if kind == "m.room.member":
        writes.add(_SET_MEMBERSHIP, {
            "user_id": state_key, "room_id": room.room_id, "membership": "leave", "event_id": "", "stream": stream,
            "sender": state_key, "forgotten": 0,
        })


def list_room(writes: Writes, room: LiveRoom) -> None:
    """Store whether the room stands in the public list."""
    writes.add(_LIST, {"room": room.nid, "shown": int(room.listed)})


def set_outside(writes: Writes, room: LiveRoom) -> None:
    """Store whether we have only been told of the room."""
    writes.add(_SET_OUTSIDE, {"room": room.nid, "whether": int(room.outside)})


def forget_room(writes: Writes, user_id: str, room_id: str) -> None:
    """The user does not want to see this left room again."""
    writes.add(_FORGET, {"who": user_id, "where": room_id})


async def load_rooms(database: Database, room_ids: Sequence[str], server_name: str) -> list[LiveRoom]:
    """Those of these rooms that exist, with their current state, without their timelines."""
    rows = await database.fetch_all(_ROOMS, {"room_ids": list(room_ids)})
    loaded = {row.nid: _as_room(row, server_name) for row in rows}
    found = await database.fetch_all(_CURRENT_STATE, {"nids": list(loaded)})
    for nid, event_id, stored in found:
        room = loaded[nid]
        event = read_event(stored, room.version, event_id, room)
        room.state[event.key] = event
    for room in loaded.values():
        room.note_members()
    return list(loaded.values())


def _as_room(row: Any, server_name: str) -> LiveRoom:
    tip = Tip(orjson.loads(row.extremities), row.depth, row.snapshot, row.chain)
    return LiveRoom(
        row.nid, row.room_id, room_version(row.version), server_name, tip, {}, listed=bool(row.listed),
        outside=bool(row.outside),
    )


async def room_by_number(database: Database, nid: int) -> str | None:
    """The id of a room."""
    row = await database.fetch_one(select(rooms.c.room_id).where(rooms.c.nid == nid))
    return None if row is None else str(row[0])


async def highest_room_number(database: Database) -> int:
    """The number that was given out last."""
    row = await database.fetch_one(select(rooms.c.nid).order_by(rooms.c.nid.desc()).limit(1))
    return 0 if row is None else int(row[0])


async def state_ids_at(database: Database, snapshot: int) -> dict[StateKey, str]:
    """The state of a snapshot as event ids."""
    return (await chained_state_ids(database, snapshot))[0]


async def chained_state_ids(database: Database, snapshot: int) -> tuple[dict[StateKey, str], int]:
    """The state of a snapshot as event ids, and how many snapshots stand between it and the last whole one."""
    rows = await database.fetch_all(_STATE_AT, {"snapshot": snapshot})
    return {(row[0], row[1]): row[2] for row in rows}, max((int(row[3]) for row in rows), default=0)


async def state_at(database: Database, room: LiveRoom, snapshot: int) -> dict[StateKey, Event]:
    """The state of a snapshot as events."""
    ids = list((await state_ids_at(database, snapshot)).values())
    found: dict[StateKey, Event] = {}
    for start in range(0, len(ids), 500):
        rows = await database.fetch_all(
            select(events.c.event_id, events.c.json).where(events.c.event_id.in_(ids[start:start + 500]))
        )
        for event_id, stored in rows:
            event = read_event(stored, room.version, event_id, room)
            found[event.key] = event
    return found


async def memberships_of(database: Database, user_id: str) -> list[Membership]:
    """All rooms of a user, also those left behind."""
    rows = await database.fetch_all(_MEMBERSHIPS, {"who": user_id})
    return [_as_membership(row) for row in rows]


async def users_who_share_rooms(
    database: Database, user_ids: Iterable[str], among: Iterable[str] | None = None
) -> set[str]:
    """Everybody who is in a room with one of ``user_ids``; only those of ``among`` where it is given."""
    theirs, others = memberships.alias("theirs"), memberships.alias("others")
    statement = (
        select(others.c.user_id).distinct()
        .select_from(theirs.join(others, theirs.c.room_id == others.c.room_id))
        .where(theirs.c.user_id.in_(list(user_ids)), theirs.c.membership == "join", others.c.membership == "join")
    )
    if among is not None:
        statement = statement.where(others.c.user_id.in_(list(among)))
    return {str(row[0]) for row in await database.fetch_all(statement)}


async def is_forgotten(database: Database, user_id: str, room_id: str) -> bool:
    """Whether a user does not want to see a left room again."""
    row = await database.fetch_one(
        select(memberships.c.forgotten).where(memberships.c.user_id == user_id, memberships.c.room_id == room_id)
    )
    return row is not None and bool(row[0])


async def state_history(
    database: Database, room: LiveRoom, kind: str, state_key: str
) -> list[tuple[int, Event]]:
    """``(stream, event)`` of every state event of one key, oldest first."""
    rows = await database.fetch_all(_STATE_HISTORY, {"nid": room.nid, "kind": kind, "key": state_key})
    return [(row[0], read_event(row[2], room.version, row[1], room)) for row in rows]


async def state_histories(
    database: Database, rooms: Mapping[int, LiveRoom], kind: str, state_key: str
) -> dict[int, list[tuple[int, Event]]]:
    """The same for several rooms, by their numbers."""
    found: dict[int, list[tuple[int, Event]]] = {nid: [] for nid in rooms}
    parameters = {"nids": list(rooms), "kind": kind, "key": state_key}
    for nid, stream, event_id, stored in await database.fetch_all(_STATE_HISTORIES, parameters):
        found[nid].append((stream, read_event(stored, rooms[nid].version, event_id, rooms[nid])))
    return found


async def state_when_we_came(database: Database, room: LiveRoom, kind: str, state_key: str) -> Event | None:
    """The state of a room of another server when this node came into it."""
    row = await database.fetch_one(
        select(events.c.event_id, events.c.json)
        .where(events.c.room == room.nid, events.c.type == kind, events.c.state_key == state_key)
        .where(events.c.flags.op("&")(UNSEEN) == OUTLIER).order_by(events.c.stream.desc()).limit(1)
    )
    return None if row is None else read_event(row[1], room.version, row[0], room)


async def state_changes(database: Database, room: LiveRoom, after: int, until: int) -> dict[StateKey, Event]:
    """What has changed of the state from position ``after`` to ``until``, by key."""
    rows = await database.fetch_all(
        select(events.c.event_id, events.c.json, events.c.room_snapshot)
        .where(events.c.room == room.nid, events.c.stream > after, events.c.stream <= until)
        .where(or_(events.c.state_key.is_not(None), events.c.room_snapshot.is_not(None)), SEEN)
        .order_by(events.c.stream)
    )
    if any(row[2] is not None for row in rows):
        return await _difference(database, room, after, until)
    return {event.key: event for event in (read_event(row[1], room.version, row[0], room) for row in rows)}


async def _difference(database: Database, room: LiveRoom, after: int, until: int) -> dict[StateKey, Event]:
    """Where the room had forked, its events do not tell what has become of its state."""
    before = await state_ids_at(database, await snapshot_at(database, room, after))
    now = await state_at(database, room, await snapshot_at(database, room, until))
    return {key: event for key, event in now.items() if before.get(key) != event.event_id}


async def snapshot_at(database: Database, room: LiveRoom, position: int) -> int:
    """The snapshot that holds after the last event up to ``position``."""
    row = await database.fetch_one(
        select(func.coalesce(events.c.room_snapshot, events.c.snapshot))
        .where(events.c.room == room.nid, events.c.stream <= position)
        .where(SEEN).order_by(events.c.stream.desc()).limit(1)
    )
    return 0 if row is None else int(row[0])


async def listed_room_ids(database: Database) -> list[str]:
    """Rooms of the public list."""
    rows = await database.fetch_all(select(rooms.c.room_id).where(rooms.c.listed == 1).order_by(rooms.c.nid))
    return [str(row[0]) for row in rows]


def _as_membership(row: Any) -> Membership:
    return Membership(row.room_id, row.membership, row.event_id, row.stream, row.sender, bool(row.forgotten))
