"""Receipts: who has read up to where (spec: "Receipts"). Reading never counts as answering."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Final

import orjson

from server.foundation.clock import Clock
from server.foundation.errors import BadRequest, Forbidden, InvalidParam, NotFound
from server.rooms.event_store import entry_of
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt, position_of_event, receipts_of_room, receipts_of_rooms, set_receipt
from server.rooms.relations import relation_of
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry, Json
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

READ: Final = "m.read"
READ_PRIVATE: Final = "m.read.private"
# The thread of everything that is said outside of threads.
MAIN: Final = "main"
_KEPT_ROOMS: Final = 3_000
_READ_TOGETHER: Final = 500

_KEPT_NEWS: Final = 32

ReceiptListener = Callable[[LiveRoom, Receipt], None]
ReceiptProjection = Callable[[LiveRoom, Receipt, Writes], None]


class Book:
    """The receipts of one room, the newest last, and what the members have to hear of them."""

    def __init__(self, receipts: Iterable[Receipt]) -> None:
        self._receipts: OrderedDict[tuple[str, str, str], Receipt] = OrderedDict()
        self._threads: dict[str, dict[str, dict[str, int]]] = {}
        self._last_private: dict[str, int] = {}
        # What was new between two positions, without private ones: the same bytes for all who were equally far.
        self._news: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        for receipt in receipts:
            self.enter(receipt)

    @property
    def last_position(self) -> int:
        """When the newest receipt was sent; 0 where there is none."""
        for receipt in reversed(self._receipts.values()):
            return receipt.stream
        return 0

    def find(self, user_id: str, kind: str, thread_id: str = "") -> Receipt | None:
        """A member's receipt."""
        return self._receipts.get((user_id, kind, thread_id))

    def positions_of(self, user_id: str) -> dict[str, int]:
        """Up to where a member has read, by thread: ``main``, roots, and the empty one that stands for all of them."""
        found: dict[str, int] = {}
        for thread, kinds in self._threads.get(user_id, {}).items():
            found[thread] = max(kinds.values())
        return found

    def enter(self, receipt: Receipt) -> None:
        """Lay a receipt over the member's one before, unless that one is further on."""
        key = (receipt.user_id, receipt.type, receipt.thread_id)
        known = self._receipts.get(key)
        if known is None or known.event_stream < receipt.event_stream:
            self._receipts[key] = receipt
            self._receipts.move_to_end(key)
            threads = self._threads.setdefault(receipt.user_id, {})
            threads.setdefault(receipt.thread_id, {})[receipt.type] = receipt.event_stream
            if receipt.type == READ_PRIVATE:
                self._last_private[receipt.user_id] = receipt.stream

    def news(self, since: int, until: int, viewer: str, ignored: Collection[str] = ()) -> bytes:
        """The ``m.receipt`` of what is newer than ``since``, private ones only the viewer's own; empty if nothing."""
        if ignored or self._last_private.get(viewer, 0) > since:
            return self._told(since, until, viewer, ignored)
        known = self._news.get((since, until))
        if known is None:
            known = self._news[(since, until)] = self._told(since, until, "")
            if len(self._news) > _KEPT_NEWS:
                self._news.popitem(last=False)
        return known

    def of_events(self, event_ids: Collection[str], since: int, until: int, viewer: str) -> bytes:
        """The receipts at these events, the viewer's own, and with ``since`` what is newer; empty if there are none."""
        found = [
            receipt for receipt in reversed(self._receipts.values())
            if receipt.stream <= until and (receipt.type != READ_PRIVATE or receipt.user_id == viewer)
            and (receipt.event_id in event_ids or receipt.user_id == viewer or 0 < since < receipt.stream)
        ]
        return orjson.dumps({"type": "m.receipt", "content": receipt_content(found)}) if found else b""

    def _told(self, since: int, until: int, viewer: str, ignored: Collection[str] = ()) -> bytes:
        found: list[Receipt] = []
        for receipt in reversed(self._receipts.values()):
            if receipt.stream <= since:
                break
            if receipt.stream <= until and (receipt.type != READ_PRIVATE or receipt.user_id == viewer):
                found.append(receipt)
        if ignored:
            found = [receipt for receipt in found if receipt.user_id not in ignored]
        return orjson.dumps({"type": "m.receipt", "content": receipt_content(found)}) if found else b""


class Receipts:
    """All rooms' receipts; those of rooms in use are in memory."""

    def __init__(self, database: Database, rooms: Rooms, positions: StreamPositions, clock: Clock) -> None:
        self._database = database
        self._rooms = rooms
        self._positions = positions
        self._clock = clock
        self._books: OrderedDict[str, Book] = OrderedDict()
        self._listeners: list[ReceiptListener] = []
        self._projections: list[ReceiptProjection] = []

    def listen(self, listener: ReceiptListener) -> None:
        """Call ``listener`` after the commit of every receipt."""
        self._listeners.append(listener)

    def project(self, projection: ReceiptProjection) -> None:
        """Add rows of ``projection`` to the transaction of every receipt."""
        self._projections.append(projection)

    async def send(
        self, room_id: str, user_id: str, kind: str, event_id: str, thread_id: str = "", ts: int | None = None
    ) -> None:
        """``user_id`` has read up to ``event_id``. An older event than before changes nothing.

        ``ts``: when, in milliseconds, as another server tells it; now without it.
        """
        if kind not in (READ, READ_PRIVATE):
            raise InvalidParam("Unknown receipt type")
        room = await self._rooms.get(room_id)
        if room.membership(user_id) != "join":
            raise Forbidden("You are not in this room")
        entry = await self._entry(room, event_id)
        if thread_id and not _belongs(entry, thread_id):
            raise InvalidParam("The event does not belong to this thread")
        position = entry.stream
        book = await self.book(room_id)
        known = book.find(user_id, kind, thread_id)
        if known is not None and known.event_stream >= position:
            return
        receipt = Receipt(
            user_id, kind, thread_id, event_id, position, self._clock.now_ms() if ts is None else ts,
            self._positions.allocate(),
        )
        writes = Writes()
        writes.on_failure.append(lambda: self._positions.finish(receipt.stream))
        try:
            set_receipt(writes, room_id, receipt)
            for projection in self._projections:
                projection(room, receipt, writes)
            writes.after_commit.append(lambda: self._committed(room, book, receipt))
            commit = self._database.submit(writes)
        except BaseException:
            for undo in writes.on_failure:
                undo()
            raise
        await asyncio.shield(commit)

    async def book(self, room_id: str) -> Book:
        """The receipts of a room."""
        book = self._books.get(room_id)
        if book is None:
            found = await receipts_of_room(self._database, room_id)
            book = self._books.setdefault(room_id, Book(found))
            if len(self._books) > _KEPT_ROOMS:
                self._books.popitem(last=False)
        self._books.move_to_end(room_id)
        return book

    async def learn(self, room_ids: Iterable[str]) -> None:
        """Read together what ``book`` would read of each of these rooms."""
        missing = [room_id for room_id in room_ids if room_id not in self._books]
        for start in range(0, len(missing), _READ_TOGETHER):
            some = missing[start:start + _READ_TOGETHER]
            for room_id, found in (await receipts_of_rooms(self._database, some)).items():
                self._books.setdefault(room_id, Book(found))
        while len(self._books) > _KEPT_ROOMS:
            self._books.popitem(last=False)

    async def is_later(self, room_id: str, user_id: str, event_id: str, than: str | None) -> bool:
        """Whether an event of a room that the user is in comes after the event ``than``, if that is known here."""
        room = await self._rooms.get(room_id)
        if room.membership(user_id) != "join":
            raise Forbidden("You are not in this room")
        position = (await self._entry(room, event_id)).stream
        known = await position_of_event(self._database, room.nid, than) if than is not None else None
        return known is None or position > known

    async def _entry(self, room: LiveRoom, event_id: str) -> Entry:
        entry = room.find(event_id)
        if entry is not None:
            return entry
        if not event_id.startswith("$") or "\0" in event_id:
            raise BadRequest("Not an event id", code="M_INVALID_PARAM")
        entry = await entry_of(self._database, room, event_id)
        if entry is None:
            raise NotFound("There is no such event in this room")
        return entry

    def _committed(self, room: LiveRoom, book: Book, receipt: Receipt) -> None:
        book.enter(receipt)
        self._positions.finish(receipt.stream)
        for listener in self._listeners:
            listener(room, receipt)


def _belongs(entry: Entry, thread_id: str) -> bool:
    """Whether an event can be the last one read in a thread: what it answers in, what it began, or what it is about."""
    relation = relation_of(entry.event.content)
    if relation is None:
        return thread_id in (MAIN, entry.event.event_id)
    return relation[1] != "m.thread" or relation[0] == thread_id


def receipt_content(found: list[Receipt]) -> Json:
    """The content of one ``m.receipt`` for clients. Of two at one event the one for all threads counts (MSC4102)."""
    content: Json = {}
    for receipt in found:
        told: Json = {"ts": receipt.ts}
        if receipt.thread_id:
            told["thread_id"] = receipt.thread_id
        readers = content.setdefault(receipt.event_id, {}).setdefault(receipt.type, {})
        if receipt.user_id not in readers or not receipt.thread_id:
            readers[receipt.user_id] = told
    return content
