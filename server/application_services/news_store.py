"""What has happened between two stream positions, over all rooms: read from the tables of others, never written."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Integer, bindparam, select

from server.accounts.to_device_store import messages
from server.rooms.event_store import SEEN, events
from server.rooms.receipt_store import Receipt, receipts
from server.rooms.state_store import rooms
from server.storage.database import Database

_AFTER: Final = bindparam("after", type_=BigInteger)
_UNTIL: Final = bindparam("until", type_=BigInteger)
_MOST: Final = bindparam("most", type_=Integer)

_HEADERS: Final = (
    select(events.c.stream, events.c.event_id, rooms.c.room_id, events.c.type, events.c.state_key, events.c.sender)
    .select_from(events.join(rooms, events.c.room == rooms.c.nid))
    .where(events.c.stream > _AFTER, events.c.stream <= _UNTIL, SEEN).order_by(events.c.stream).limit(_MOST)
)
_MEMBERS: Final = (
    select(events.c.stream, rooms.c.room_id, events.c.state_key)
    .select_from(events.join(rooms, events.c.room == rooms.c.nid))
    .where(events.c.stream > _AFTER, events.c.type == "m.room.member", events.c.state_key.is_not(None))
    .where(events.c.replaces.is_not(None))
    .order_by(events.c.stream)
)
_RECEIPTS: Final = (
    select(receipts).where(receipts.c.stream > _AFTER, receipts.c.stream <= _UNTIL)
    .order_by(receipts.c.stream).limit(_MOST)
)
_TO_DEVICE: Final = (
    select(messages).where(messages.c.stream > _AFTER, messages.c.stream <= _UNTIL)
    .order_by(messages.c.stream).limit(_MOST)
)


class Header(NamedTuple):
    """An event without its content."""

    stream: int
    event_id: str
    room_id: str
    type: str
    state_key: str | None
    sender: str


class RoomReceipt(NamedTuple):
    """A receipt and its room."""

    stream: int
    room_id: str
    receipt: Receipt


class DeviceMessage(NamedTuple):
    """A message that waits for a device; ``content`` is JSON."""

    stream: int
    user_id: str
    device_id: str
    sender: str
    type: str
    content: bytes


async def headers_between(database: Database, after: int, until: int, most: int) -> list[Header]:
    """The first ``most`` events that readers may see, with ``after < stream <= until``, in their order."""
    rows = await database.fetch_all(_HEADERS, {"after": after, "until": until, "most": most})
    return [Header(*row) for row in rows]


async def member_changes_after(database: Database, after: int) -> list[tuple[int, str, str]]:
    """``(stream, room id, user id)`` of member events after a position, those that replace another one."""
    return [(row[0], row[1], row[2]) for row in await database.fetch_all(_MEMBERS, {"after": after})]


async def receipts_between(database: Database, after: int, until: int, most: int) -> list[RoomReceipt]:
    """The first ``most`` receipts with ``after < stream <= until``, in their order."""
    rows = await database.fetch_all(_RECEIPTS, {"after": after, "until": until, "most": most})
    return [
        RoomReceipt(row.stream, row.room_id, Receipt(
            row.user_id, row.type, row.thread_id, row.event_id, row.event_stream, row.ts, row.stream
        ))
        for row in rows
    ]


async def messages_between(database: Database, after: int, until: int, most: int) -> list[DeviceMessage]:
    """The first ``most`` messages to devices with ``after < stream <= until``, in their order."""
    rows = await database.fetch_all(_TO_DEVICE, {"after": after, "until": until, "most": most})
    return [DeviceMessage(row.stream, row.user_id, row.device_id, row.sender, row.type, row.content) for row in rows]
