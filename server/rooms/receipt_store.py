"""Table ``receipts``: up to where each member has read each room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select

from server.rooms.event_store import events
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

receipts: Final = Table(
    "receipts", metadata,
    Column("room_id", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("thread_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("event_stream", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("stream", BigInteger, nullable=False),
)

_SET: Final = upsert(receipts, only_if="excluded.event_stream > receipts.event_stream")
_OF_ROOM: Final = select(receipts).where(receipts.c.room_id == bindparam("room")).order_by(receipts.c.stream)
_OF_ROOMS: Final = (
    select(receipts).where(receipts.c.room_id.in_(bindparam("rooms", expanding=True))).order_by(receipts.c.stream)
)


class Receipt(NamedTuple):
    """One member's receipt. ``thread_id`` is empty for an unthreaded one, ``stream`` when it was sent."""

    user_id: str
    type: str
    thread_id: str
    event_id: str
    event_stream: int
    ts: int
    stream: int


def set_receipt(writes: Writes, room_id: str, receipt: Receipt) -> None:
    """Store a receipt over the one before, unless that one is further on."""
    writes.add(_SET, {"room_id": room_id, **receipt._asdict()})


async def receipts_of_room(database: Database, room_id: str) -> list[Receipt]:
    """All receipts of a room in the order in which they were sent."""
    return [_as_receipt(row) for row in await database.fetch_all(_OF_ROOM, {"room": room_id})]


async def receipts_of_rooms(database: Database, room_ids: Sequence[str]) -> dict[str, list[Receipt]]:
    """The same of several rooms, by their ids."""
    found: dict[str, list[Receipt]] = {room_id: [] for room_id in room_ids}
    for row in await database.fetch_all(_OF_ROOMS, {"rooms": list(room_ids)}):
        found[row.room_id].append(_as_receipt(row))
    return found


def _as_receipt(row: Any) -> Receipt:
    return Receipt(row.user_id, row.type, row.thread_id, row.event_id, row.event_stream, row.ts, row.stream)


async def position_of_event(database: Database, nid: int, event_id: str) -> int | None:
    """The stream position of an event of this room."""
    row = await database.fetch_one(
        select(events.c.stream).where(events.c.event_id == event_id, events.c.room == nid)
    )
    return None if row is None else int(row[0])
