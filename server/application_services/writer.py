"""Writes transactions: from the tables and from memory, in stream order, at most a hundred events at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import orjson

from server.application_services.encryption import Encryption
from server.application_services.ephemeral import Ephemeral
from server.application_services.interest import Interest
from server.application_services.news_store import (
    DeviceMessage,
    Header,
    RoomReceipt,
    headers_between,
    messages_between,
    receipts_between,
)
from server.application_services.service import Service
from server.application_services.transaction import DeviceNews, Transaction
from server.rooms.event_store import entries_by_id
from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry, Json, stripped
from server.storage.database import Database

MOST_EVENTS: Final = 100
_MOST_BYTES: Final = 2 * 1024 * 1024
_LOOKED_AT: Final = 500
# What somebody who is invited may know of a room (spec, "Stripped state").
_SHOWN_TO_INVITED: Final = (
    ("m.room.create", ""), ("m.room.name", ""), ("m.room.avatar", ""), ("m.room.topic", ""),
    ("m.room.join_rules", ""), ("m.room.canonical_alias", ""), ("m.room.encryption", ""),
)


class _Placed(Protocol):
    @property
    def stream(self) -> int: ...


P = TypeVar("P", bound=_Placed)


class TransactionWriter:
    """Writes the transactions of one service."""

    def __init__(
        self, database: Database, rooms: Rooms, service: Service, interest: Interest, ephemeral: Ephemeral,
        encryption: Encryption,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._service = service
        self._interest = interest
        self._ephemeral = ephemeral
        self._encryption = encryption

    async def write(self, after: int, until: int, *, most: int = MOST_EVENTS) -> Transaction:
        """What concerns the service after ``after``. It may end before ``until`` where there is much."""
        headers, until = await self._headers(after, until, most)
        events, until = await self._events(headers, until)
        messages, until = await self._messages(after, until)
        receipts, until = await self._receipts(after, until)
        messages = [message for message in messages if message.stream <= until]
        users = {name for header in headers for name in (header.sender, header.state_key or "")}
        registration = self._service.registration
        return Transaction(
            after, until, [shown for stream, shown in events if stream <= until],
            await self._ephemeral.take(receipts) if registration.receives_ephemeral else (),
            await self._device_news(after, until, messages, users) if registration.receives_encryption else None,
            frozenset((message.user_id, message.device_id) for message in messages),
        )

    async def _headers(self, after: int, until: int, most: int) -> tuple[list[Header], int]:
        found: list[Header] = []
        while after < until:
            headers = await headers_between(self._database, after, until, _LOOKED_AT)
            for header in headers:
                if await self._interest.wants(header):
                    found.append(header)
                    if len(found) == most:
                        return found, header.stream
            if len(headers) < _LOOKED_AT:
                break
            after = headers[-1].stream
        return found, until

    async def _events(self, headers: Sequence[Header], until: int) -> tuple[list[tuple[int, bytes]], int]:
        """``(stream, JSON)`` of these events, as far as one request may carry them."""
        entries = await self._entries(headers)
        found: list[tuple[int, bytes]] = []
        size = 0
        for header in headers:
            entry = entries.get(header.event_id)
            if entry is None:
                continue
            shown = orjson.dumps(self._shown(entry[0], entry[1]))
            size += len(shown)
            if found and size > _MOST_BYTES:
                return found, found[-1][0]
            found.append((header.stream, shown))
        return found, until

    async def _entries(self, headers: Sequence[Header]) -> dict[str, tuple[LiveRoom, Entry]]:
        by_room: dict[str, list[str]] = {}
        for header in headers:
            by_room.setdefault(header.room_id, []).append(header.event_id)
        found: dict[str, tuple[LiveRoom, Entry]] = {}
        for room_id, event_ids in by_room.items():
            room = await self._rooms.find(room_id)
            if room is not None:
                found |= {entry.event.event_id: (room, entry) for entry in await self._in_room(room, event_ids)}
        return found

    async def _in_room(self, room: LiveRoom, event_ids: Sequence[str]) -> list[Entry]:
        live = [entry for event_id in event_ids if (entry := room.find(event_id)) is not None]
        known = {entry.event.event_id for entry in live}
        missing = [event_id for event_id in event_ids if event_id not in known]
        return live + await entries_by_id(self._database, room, missing)

    def _shown(self, room: LiveRoom, entry: Entry) -> Json:
        event = entry.event
        shown = entry.client_json()
        if event.type == "m.room.member" and event.content.get("membership") == "invite" and event.state_key:
            if self._service.owns_user(event.state_key):
                keys = (*_SHOWN_TO_INVITED, ("m.room.member", event.sender))
                state = [stripped(room.state[key]) for key in keys if key in room.state]
                shown["unsigned"] = {**shown.get("unsigned", {}), "invite_room_state": state}
        return shown

    async def _messages(self, after: int, until: int) -> tuple[list[DeviceMessage], int]:
        if not self._service.registration.receives_encryption:
            return [], until
        found, until = _whole(await messages_between(self._database, after, until, _LOOKED_AT), until)
        return [message for message in found if self._service.owns_user(message.user_id)], until

    async def _receipts(self, after: int, until: int) -> tuple[list[RoomReceipt], int]:
        if not self._service.registration.receives_ephemeral:
            return [], until
        return _whole(await receipts_between(self._database, after, until, _LOOKED_AT), until)

    async def _device_news(
        self, after: int, until: int, messages: Sequence[DeviceMessage], users: set[str]
    ) -> DeviceNews:
        changed = await self._encryption.changed_devices(after, until)
        users |= {message.user_id for message in messages} | {self._service.user_id}
        counts, fallbacks = await self._encryption.key_counts(users)
        return DeviceNews(self._encryption.messages(messages), changed, counts, fallbacks)


def _whole(found: list[P], until: int) -> tuple[list[P], int]:
    """Where there may be more than was read: only whole positions, and the last of them."""
    if len(found) < _LOOKED_AT:
        return found, until
    last = found[-1].stream
    kept = [item for item in found if item.stream < last]
    return (kept, last - 1) if kept else (found, last)
