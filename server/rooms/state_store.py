"""Tables ``rooms`` and ``current_state``: where each room goes on, and what holds there now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, insert, select, update

from server.rooms.event import Event, StateKey
from server.rooms.event_store import events, read_event
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.membership_store import drop_membership, set_membership
from server.rooms.room_versions import room_version
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

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
current_state: Final = Table(
    "current_state", metadata,
    Column("room", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True),
    Column("state_key", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
)

_INSERT_ROOM: Final = insert(rooms)
_MOVE_TIP: Final = (
    update(rooms).where(rooms.c.nid == bindparam("room"))
    .values(depth=bindparam("new_depth"), extremities=bindparam("ends"), snapshot=bindparam("state"),
            chain=bindparam("length"))
)
_SET_STATE: Final = upsert(current_state)
_DROP_STATE: Final = (
    delete(current_state).where(current_state.c.room == bindparam("of"), current_state.c.type == bindparam("kind"))
    .where(current_state.c.state_key == bindparam("key"))
)
_LIST: Final = update(rooms).where(rooms.c.nid == bindparam("room")).values(listed=bindparam("shown"))
_SET_OUTSIDE: Final = update(rooms).where(rooms.c.nid == bindparam("room")).values(outside=bindparam("whether"))
# Prepared once: building a statement costs as much as running it.
_ROOMS: Final = select(rooms).where(rooms.c.room_id.in_(bindparam("room_ids", expanding=True)))
_CURRENT_STATE: Final = (
    select(current_state.c.room, events.c.event_id, events.c.json)
    .select_from(current_state.join(events, current_state.c.event_id == events.c.event_id))
    .where(current_state.c.room.in_(bindparam("nids", expanding=True)))
)
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


def set_current_state(
    writes: Writes, room: LiveRoom, event: Event, stream: int, replaced: Event | None = None
) -> None:
    """Store that ``event`` is now the state of its key, in place of ``replaced``."""
    writes.add(_SET_STATE, {
        "room": room.nid, "type": event.type, "state_key": event.state_key, "event_id": event.event_id,
    })
    if event.type == "m.room.member":
        set_membership(writes, room, event, stream, replaced)


def drop_current_state(writes: Writes, room: LiveRoom, key: StateKey, stream: int) -> None:
    """Store that the room has no state of this key any more: a resolution has left none."""
    kind, state_key = key
    writes.add(_DROP_STATE, {"of": room.nid, "kind": kind, "key": state_key})
    if kind == "m.room.member":
        drop_membership(writes, room, state_key, stream)


def list_room(writes: Writes, room: LiveRoom) -> None:
    """Store whether the room stands in the public list."""
    writes.add(_LIST, {"room": room.nid, "shown": int(room.listed)})


def set_outside(writes: Writes, room: LiveRoom) -> None:
    """Store whether we have only been told of the room."""
    writes.add(_SET_OUTSIDE, {"room": room.nid, "whether": int(room.outside)})


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


async def listed_room_ids(database: Database) -> list[str]:
    """Rooms of the public list."""
    rows = await database.fetch_all(select(rooms.c.room_id).where(rooms.c.listed == 1).order_by(rooms.c.nid))
    return [str(row[0]) for row in rows]


