"""Tables ``facilities``, ``bookings`` and ``booking_requests``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.association.bookings.book import BookingBook
from server.association.bookings.contents import booking_json, facility_content, read_booking, read_facility
from server.association.bookings.model import Booking, Facility
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

facilities: Final = Table(
    "facilities", metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
bookings: Final = Table(
    "bookings", metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
requests: Final = Table(
    "booking_requests", metadata,
    Column("event_id", Text, primary_key=True),
    Column("room_id", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_PUT_FACILITY: Final = upsert(facilities)
_PUT_BOOKING: Final = upsert(bookings)
_PUT_REQUEST: Final = upsert(requests, replace=())
_DROP_REQUEST: Final = delete(requests).where(requests.c.event_id == bindparam("answered"))


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody has asked for in their 窓口: the words, or the value of our own event.

    ``position`` is the event's in the node's order, ``ts`` when it was written.
    """

    event_id: str
    room_id: str
    sender: str
    content: dict[str, Any]
    position: int
    ts: int


async def load_bookings(database: Database, book: BookingBook) -> None:
    """Enter everything into ``book``, what is over too."""
    for row in await database.fetch_all(select(facilities)):
        book.enter_facility(read_facility(orjson.loads(row.content)), row.revision)
    for row in await database.fetch_all(select(bookings)):
        booking = read_booking(orjson.loads(row.content))
        book.enter(replace(booking, created_ms=row.created_ms, changed_ms=row.changed_ms, revision=row.revision))


def put_facility(writes: Writes, facility: Facility, revision: int) -> None:
    """Store a facility as it is now."""
    content = orjson.dumps(facility_content(facility)).decode()
    writes.add(_PUT_FACILITY, {"id": facility.id, "content": content, "revision": revision})


def put_booking(writes: Writes, booking: Booking) -> None:
    """Store a booking as it is now."""
    writes.add(_PUT_BOOKING, {
        "id": booking.id, "content": orjson.dumps(booking_json(booking)).decode(), "created_ms": booking.created_ms,
        "changed_ms": booking.changed_ms, "revision": booking.revision,
    })


def put_request(writes: Writes, request: Request) -> None:
    """Store what somebody has asked for, until it is answered."""
    writes.add(_PUT_REQUEST, {
        "event_id": request.event_id, "room_id": request.room_id, "sender": request.sender,
        "content": orjson.dumps(request.content).decode(), "position": request.position, "ts": request.ts,
    })


def drop_request(writes: Writes, event_id: str) -> None:
    """The node has answered it."""
    writes.add(_DROP_REQUEST, {"answered": event_id})


async def open_requests(database: Database) -> list[Request]:
    """What has no answer yet, oldest first."""
    rows = await database.fetch_all(select(requests).order_by(requests.c.position))
    return [
        Request(row.event_id, row.room_id, row.sender, orjson.loads(row.content), row.position, row.ts) for row in rows
    ]
