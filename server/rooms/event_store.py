"""Tables ``events``, ``relations`` and ``transactions``: every event that ever entered a room here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)

from server.foundation.canonical_json import canonical_json, parse_json
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.room_versions import RoomVersion
from server.rooms.timeline import UNSEEN, Entry, client_event
from server.storage.database import Database, Writes, metadata

events: Final = Table(
    "events", metadata,
    Column("stream", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("room", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("state_key", Text),
    Column("sender", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("replaces", Text),
    Column("flags", Integer, nullable=False),
    Column("txn", Text),
    Column("redacted_by", Text),
    Column("json", LargeBinary, nullable=False),
    Column("room_snapshot", BigInteger),
)
relations: Final = Table(
    "relations", metadata,
    Column("event_id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("rel_type", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("stream", BigInteger, nullable=False),
)
transactions: Final = Table(
    "transactions", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("txn_id", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)

# What a reader may find: neither rejected nor soft-failed, and with a place in the timeline.
SEEN: Final = events.c.flags.op("&")(UNSEEN) == 0

_INSERT_EVENT: Final = insert(events)
_INSERT_RELATION: Final = insert(relations)
_INSERT_TRANSACTION: Final = insert(transactions)
_REDACT: Final = (
    update(events).where(events.c.event_id == bindparam("target"))
    .values(json=bindparam("redacted"), redacted_by=bindparam("by"))
)
_FORGET_RELATION: Final = delete(relations).where(relations.c.event_id == bindparam("target"))

_replaced: Final = events.alias("replaced")
_redaction: Final = events.alias("redaction")
_ENTRIES: Final = select(
    events.c.stream, events.c.event_id, events.c.snapshot, events.c.flags, events.c.txn, events.c.json,
    events.c.room_snapshot,
    _replaced.c.event_id.label("replaced_id"), _replaced.c.json.label("replaced_json"),
    _redaction.c.event_id.label("redaction_id"), _redaction.c.json.label("redaction_json"),
).select_from(
    events.outerjoin(_replaced, events.c.replaces == _replaced.c.event_id)
    .outerjoin(_redaction, events.c.redacted_by == _redaction.c.event_id)
)


# Prepared once: building a statement costs as much as running it.
_rooms: Final = table("rooms", column("nid", BigInteger))
_earlier: Final = events.alias("earlier")
_first_wanted: Final = (
    select(_earlier.c.stream).where(_earlier.c.room == _rooms.c.nid, _earlier.c.flags.op("&")(UNSEEN) == 0)
    .order_by(_earlier.c.stream.desc()).limit(1).offset(bindparam("skipped", type_=Integer)).correlate(_rooms)
    .scalar_subquery()
)
_NEWEST_ENTRIES: Final = (
    _ENTRIES.add_columns(events.c.room).join(_rooms, events.c.room == _rooms.c.nid)
    .where(_rooms.c.nid.in_(bindparam("nids", expanding=True)))
    .where(events.c.stream >= func.coalesce(_first_wanted, 0), SEEN)
    .order_by(events.c.stream)
)
_RELATED: Final = select(
    relations.c.event_id, relations.c.target, relations.c.rel_type, relations.c.type, relations.c.key,
    relations.c.sender,
).where(relations.c.target.in_(bindparam("targets", expanding=True))).order_by(relations.c.stream)
_RELATED_AS: Final = _RELATED.where(relations.c.rel_type.in_(bindparam("kinds", expanding=True)))


def add_event(writes: Writes, room: LiveRoom, entry: Entry) -> None:
    """Store an accepted event."""
    event = entry.event
    writes.add(_INSERT_EVENT, {
        "stream": entry.stream,
        "event_id": event.event_id,
        "room": room.nid,
        "type": event.type,
        "state_key": event.state_key,
        "sender": event.sender,
        "ts": event.origin_server_ts,
        "snapshot": entry.snapshot,
        "replaces": entry.replaced.event_id if entry.replaced else None,
        "flags": entry.flags,
        "txn": entry.txn,
        "redacted_by": None,
        "json": canonical_json(event.pdu),
        "room_snapshot": entry.room_snapshot,
    })


def add_relation(writes: Writes, entry: Entry, target: str, rel_type: str, key: str) -> None:
    """Store that an event relates to another one."""
    event = entry.event
    writes.add(_INSERT_RELATION, {
        "event_id": event.event_id, "target": target, "rel_type": rel_type, "type": event.type, "key": key,
        "sender": event.sender, "stream": entry.stream,
    })


def add_transaction(writes: Writes, key: tuple[str, str, str, str], event_id: str, ts: int) -> None:
    """Remember the event of ``(user, device, scope, txn id)`` for a client that asks again."""
    user_id, device_id, scope, txn_id = key
    writes.add(_INSERT_TRANSACTION, {
        "user_id": user_id, "device_id": device_id, "scope": scope, "txn_id": txn_id, "event_id": event_id, "ts": ts,
    })


def redact_event(writes: Writes, redacted: Event, redaction: Event) -> None:
    """Replace what is stored of an event by its redacted form, for good."""
    writes.add(_REDACT, {
        "target": redacted.event_id, "redacted": canonical_json(redacted.pdu), "by": redaction.event_id,
    })
    writes.add(_FORGET_RELATION, {"target": redacted.event_id})


async def find_transaction(database: Database, key: tuple[str, str, str, str]) -> str | None:
    """The event id that ``(user, device, scope, txn id)`` has led to."""
    user_id, device_id, scope, txn_id = key
    row = await database.fetch_one(
        select(transactions.c.event_id).where(
            transactions.c.user_id == user_id, transactions.c.device_id == device_id,
            transactions.c.txn_id == txn_id, transactions.c.scope == scope,
        )
    )
    return None if row is None else str(row[0])


async def forget_transactions_before(database: Database, ts: int) -> None:
    """Clients that ask again after so long are not expected any more."""
    async with database.write() as tx:
        await tx.execute(delete(transactions).where(transactions.c.ts < ts))


async def entries_between(
    database: Database, room: LiveRoom, after: int, until: int, limit: int, *, newest_first: bool
) -> list[Entry]:
    """Up to ``limit`` visible entries with ``after < stream <= until`` in the asked order, rejected ones left out."""
    order = events.c.stream.desc() if newest_first else events.c.stream
    statement = (
        _ENTRIES.where(events.c.room == room.nid, events.c.stream > after, events.c.stream <= until)
        .where(SEEN).order_by(order).limit(limit)
    )
    return await _fetch(database, room, statement)


async def newest_entries(database: Database, rooms: Sequence[LiveRoom], limit: int) -> dict[int, list[Entry]]:
    """The newest ``limit`` visible entries of each room, oldest first, by room number."""
    by_number = {room.nid: room for room in rooms}
    found: dict[int, list[Entry]] = {room.nid: [] for room in rooms}
    for row in await database.fetch_all(_NEWEST_ENTRIES, {"nids": list(by_number), "skipped": limit - 1}):
        found[row.room].append(_as_entry(row, by_number[row.room]))
    return found


async def entry_of(database: Database, room: LiveRoom, event_id: str) -> Entry | None:
    """One event of this room."""
    found = await _fetch(
        database, room, _ENTRIES.where(events.c.event_id == event_id, events.c.room == room.nid)
    )
    return found[0] if found else None


async def entries_by_id(database: Database, room: LiveRoom, event_ids: Sequence[str]) -> list[Entry]:
    """Several events of this room, oldest first."""
    if not event_ids:
        return []
    statement = _ENTRIES.where(events.c.event_id.in_(event_ids), events.c.room == room.nid)
    return await _fetch(database, room, statement.order_by(events.c.stream))


async def room_of_event(database: Database, event_id: str) -> tuple[int, int] | None:
    """``(room number, stream position)`` of an event."""
    row = await database.fetch_one(
        select(events.c.room, events.c.stream).where(events.c.event_id == event_id)
    )
    return None if row is None else (int(row[0]), int(row[1]))


async def related_ids(
    database: Database, targets: Sequence[str], rel_types: Sequence[str] | None
) -> list[tuple[str, str, str, str, str, str]]:
    """``(event id, target, rel type, event type, key, sender)`` of all that relates to ``targets``, oldest first."""
    if not targets:
        return []
    if rel_types is None:
        rows = await database.fetch_all(_RELATED, {"targets": list(targets)})
    else:
        rows = await database.fetch_all(_RELATED_AS, {"targets": list(targets), "kinds": list(rel_types)})
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


async def related_page(
    database: Database, room: LiveRoom, targets: Sequence[str], kinds: tuple[str | None, str | None], start: int | None,
    limit: int, *, newest_first: bool,
) -> list[Entry]:
    """Up to ``limit`` events that relate to ``targets``, by ``(rel type, event type)``, on from position ``start``."""
    rel_type, kind = kinds
    chosen = select(relations.c.event_id).where(relations.c.target.in_(targets))
    if rel_type is not None:
        chosen = chosen.where(relations.c.rel_type == rel_type)
    if kind is not None:
        chosen = chosen.where(relations.c.type == kind)
    if start is not None:
        chosen = chosen.where(relations.c.stream <= start if newest_first else relations.c.stream > start)
    chosen = chosen.order_by(relations.c.stream.desc() if newest_first else relations.c.stream).limit(limit)
    ids = [row[0] for row in await database.fetch_all(chosen)]
    entries = await entries_by_id(database, room, ids)
    return list(reversed(entries)) if newest_first else entries


async def _fetch(database: Database, room: LiveRoom, statement: Select[Any]) -> list[Entry]:
    return [_as_entry(row, room) for row in await database.fetch_all(statement)]


def _as_entry(row: Any, room: LiveRoom) -> Entry:
    replaced = None if row.replaced_id is None else read_event(row.replaced_json, room.version, row.replaced_id, room)
    entry = Entry(
        read_event(row.json, room.version, row.event_id, room), row.stream, row.snapshot,
        replaced=replaced, flags=row.flags, txn=row.txn,
    )
    entry.room_snapshot = row.room_snapshot
    if row.redaction_id is not None:
        entry.redacted_because = client_event(read_event(row.redaction_json, room.version, row.redaction_id, room))
    return entry


def read_event(stored: bytes, version: RoomVersion, event_id: str, room: LiveRoom) -> Event:
    """An event from its stored bytes."""
    return Event(parse_json(stored), version, event_id, room.room_id)
