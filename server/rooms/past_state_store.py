"""Tables ``state_snapshots`` and ``state_deltas``, and what events tell of a room's state in the past.

A snapshot is what one event changed of the state before it; its number is that event's stream position. The state
after any event is found by walking from its snapshot towards the first. Every ``WHOLE_EVERY`` steps a snapshot is
written whole, so that the walk stays short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, func, insert, or_, select, text

from server.rooms.event import Event, StateKey
from server.rooms.event_store import SEEN, events, read_event
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import OUTLIER, UNSEEN
from server.storage.database import Database, Writes, metadata

WHOLE_EVERY: Final = 200

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

_INSERT_SNAPSHOT: Final = insert(state_snapshots)
_INSERT_DELTA: Final = insert(state_deltas)
_STATE_AT: Final = text(
    "WITH RECURSIVE walk(id, parent, step) AS ("
    " SELECT id, parent, 0 FROM state_snapshots WHERE id = :snapshot"
    " UNION ALL SELECT s.id, s.parent, walk.step + 1 FROM state_snapshots s JOIN walk ON s.id = walk.parent)"
    " SELECT d.type, d.state_key, d.event_id, walk.step FROM walk JOIN state_deltas d ON d.snapshot = walk.id"
    " ORDER BY walk.step DESC"
)
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


def add_snapshot(writes: Writes, snapshot: int, parent: int | None, changed: Iterable[Event]) -> None:
    """Store a snapshot of the state: ``changed`` over ``parent``, or whole where there is no parent."""
    writes.add(_INSERT_SNAPSHOT, {"id": snapshot, "parent": parent})
    for event in changed:
        writes.add(_INSERT_DELTA, {
            "snapshot": snapshot, "type": event.type, "state_key": event.state_key, "event_id": event.event_id,
        })


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
