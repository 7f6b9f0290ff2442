"""The graph of a room as it is stored: single events with the state after them, ends towards the past.

Tables ``events`` (as ``event_store`` has it), ``back_edges`` and ``early_redactions``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, select, text

from server.foundation.canonical_json import canonical_json
from server.rooms.event import Event
from server.rooms.event_store import events, read_event
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import OUTLIER, REJECTED
from server.storage.database import Database, Writes, metadata
from server.storage.prepared import Prepared
from server.storage.upsert import upsert

_TOGETHER: Final = 500

back_edges: Final = Table(
    "back_edges", metadata,
    Column("room", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, primary_key=True),
)
early_redactions: Final = Table(
    "early_redactions", metadata,
    Column("target", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
)

_NAMES: Final = [column.name for column in events.columns]
# What is known already stays as it is.
_INSERT: Final = text(
    f"INSERT INTO events ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "  # noqa: S608
    "ON CONFLICT DO NOTHING"
).bindparams(*[bindparam(name, type_=events.columns[name].type) for name in _NAMES])
_FORGET_OUTLIER: Final = delete(events).where(
    events.c.event_id == bindparam("which"), events.c.flags.op("&")(OUTLIER) != 0
)
_ADD_EDGE: Final = upsert(back_edges, replace=())
_DROP_EDGE: Final = (
    delete(back_edges).where(back_edges.c.room == bindparam("of"), back_edges.c.event_id == bindparam("id"))
)
_ADD_EARLY: Final = upsert(early_redactions, replace=())
_DROP_EARLY: Final = delete(early_redactions).where(early_redactions.c.target == bindparam("of"))
_OF_ROOM: Final = (
    select(events.c.event_id, events.c.stream, events.c.snapshot, events.c.flags, events.c.json)
    .where(events.c.room == bindparam("nid"))
)
_STORED: Final = _OF_ROOM.where(events.c.event_id.in_(bindparam("ids", expanding=True)))
# A message alone in its transaction, which is most of what other servers send.
_ONE: Final = Prepared(_OF_ROOM.where(events.c.event_id == bindparam("id")))


class Stored(NamedTuple):
    """An event with what this node knows of it."""

    event: Event
    stream: int
    snapshot: int
    flags: int

    @property
    def is_rejected(self) -> bool:
        """Whether the rules forbade it on receipt."""
        return bool(self.flags & REJECTED)

    @property
    def has_state(self) -> bool:
        """Whether the state after it is known: it is neither an outlier nor from before our time."""
        return self.stream > 0 and not self.flags & OUTLIER


async def stored_events(database: Database, room: LiveRoom, event_ids: Iterable[str]) -> dict[str, Stored]:
    """Those of these events of a room that are known, in whatever way, by id."""
    wanted = list(dict.fromkeys(event_ids))
    found: dict[str, Stored] = {}
    for start in range(0, len(wanted), _TOGETHER):
        for event_id, stream, snapshot, flags, stored in await _rows_of(
            database, room, wanted[start:start + _TOGETHER]
        ):
            event = read_event(stored, room.version, event_id, room)
            found[event_id] = Stored(event, int(stream), int(snapshot), int(flags))
    return found


async def _rows_of(database: Database, room: LiveRoom, event_ids: Sequence[str]) -> Sequence[Any]:
    if len(event_ids) == 1:
        return await database.fetch_prepared(_ONE, {"nid": room.nid, "id": event_ids[0]})
    return await database.fetch_all(_STORED, {"nid": room.nid, "ids": event_ids})


async def lowest_position(database: Database) -> int:
    """The lowest position that an event has."""
    row = await database.fetch_one(select(func.min(events.c.stream)))
    return 0 if row is None or row[0] is None else int(row[0])


async def first_snapshot(database: Database, room: LiveRoom) -> int:
    """The state that a room had when this node came into it."""
    first = select(events.c.snapshot).where(events.c.room == room.nid, events.c.stream > 0).order_by(events.c.stream)
    row = await database.fetch_one(first.limit(1))
    return 0 if row is None else int(row[0])


async def first_depth(database: Database, room: LiveRoom) -> int:
    """How deep the first event is that came while this node was in a room; 0 where none has."""
    first = select(events.c.json, events.c.event_id).where(events.c.room == room.nid, events.c.stream > 0)
    row = await database.fetch_one(first.order_by(events.c.stream).limit(1))
    return 0 if row is None else read_event(row[0], room.version, row[1], room).depth


def add_past_event(writes: Writes, room: LiveRoom, event: Event, position: int, snapshot: int, flags: int) -> None:
    """Store an event that did not come in with the others: an outlier, or one from before our time."""
    writes.add(_INSERT, {
        "stream": position, "event_id": event.event_id, "room": room.nid, "type": event.type,
        "state_key": event.state_key, "sender": event.sender, "ts": event.origin_server_ts, "snapshot": snapshot,
        "replaces": None, "flags": flags, "txn": None, "redacted_by": None, "json": canonical_json(event.pdu),
        "room_snapshot": None,
    })


def forget_outlier(writes: Writes, event_id: str) -> None:
    """Make place for an event that gets its place in the timeline after all."""
    writes.add(_FORGET_OUTLIER, {"which": event_id})


def add_back_edges(writes: Writes, room: LiveRoom, event_ids: Iterable[str]) -> None:
    """Events that known ones follow, and that we have not."""
    for event_id in event_ids:
        writes.add(_ADD_EDGE, {"room": room.nid, "event_id": event_id})


def drop_back_edges(writes: Writes, room: LiveRoom, event_ids: Iterable[str]) -> None:
    """They are known now, or nobody has them."""
    for event_id in event_ids:
        writes.add(_DROP_EDGE, {"of": room.nid, "id": event_id})


async def back_edges_of(database: Database, room: LiveRoom) -> list[str]:
    """The ends of a room towards its past."""
    rows = await database.fetch_all(select(back_edges.c.event_id).where(back_edges.c.room == room.nid))
    return [str(row[0]) for row in rows]


def add_early_redaction(writes: Writes, target: str, event_id: str) -> None:
    """A redaction has come before what it redacts."""
    writes.add(_ADD_EARLY, {"target": target, "event_id": event_id})


def drop_early_redactions(writes: Writes, target: str) -> None:
    """What they redact has come."""
    writes.add(_DROP_EARLY, {"of": target})


async def awaited_targets(database: Database) -> set[str]:
    """All events that redactions are waiting for."""
    return {str(row[0]) for row in await database.fetch_all(select(early_redactions.c.target).distinct())}


async def early_redactions_of(database: Database, targets: Sequence[str]) -> dict[str, list[str]]:
    """Ids of redactions that wait for these events, by target."""
    rows = await database.fetch_all(
        select(early_redactions.c.target, early_redactions.c.event_id).where(early_redactions.c.target.in_(targets))
    )
    found: dict[str, list[str]] = {}
    for target, event_id in rows:
        found.setdefault(str(target), []).append(str(event_id))
    return found
