"""Unread counts: kept in memory for members who look, counted from the database when somebody first does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from server.notifications.default_rules import SILENT, Judgement, judge
from server.notifications.notice_store import add_notice, notified_between
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import Receipts
from server.rooms.relations import relation_of
from server.rooms.timeline import NOTIFIES, Entry
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

MAIN: Final = "main"
_MOST_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class _ReadUpTo:
    """Up to where one member has read: everywhere, and further in single threads."""

    everywhere: int
    threads: dict[str, int] = field(default_factory=dict)

    def covers(self, stream: int, thread: str) -> bool:
        return stream <= self.everywhere or stream <= self.threads.get(thread, 0)


class UnreadCounts:
    """What each member has not read yet."""

    def __init__(self, database: Database, receipts: Receipts, positions: StreamPositions) -> None:
        self._database = database
        self._receipts = receipts
        self._positions = positions
        self._judged: dict[int, Judgement] = {}

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A projection: judge the event and keep for whom it is a highlight."""
        judgement = judge(room, entry.event)
        if judgement is SILENT:
            return
        entry.flags |= NOTIFIES
        self._judged[entry.stream] = judgement
        writes.on_failure.append(lambda: self._forget(entry.stream))
        for user_id in self._highlighted(room, entry, judgement):
            add_notice(writes, room, entry.stream, user_id, highlight=True)

    def _forget(self, stream: int) -> None:
        self._judged.pop(stream, None)

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Count an event whose position has been reached, for all who are being counted."""
        judgement = self._judged.pop(entry.stream, None)
        if judgement is None:
            return
        thread, sender = thread_of(entry.event), entry.event.sender
        highlighted = set(self._highlighted(room, entry, judgement)) if room.unread else set()
        for user_id, unread in room.unread.items():
            if user_id != sender:
                unread.add(thread, highlight=user_id in highlighted)

    def follow_receipt(self, room: LiveRoom, receipt: Receipt) -> None:
        """A listener: the member has read, so count anew when asked."""
        room.unread.pop(receipt.user_id, None)

    async def of(self, room: LiveRoom, user_id: str, came_in: int) -> Unread:
        """What a member who came in at a position has not read, up to the position that is current."""
        known = room.unread.get(user_id)
        if known is not None:
            return known
        book = await self._receipts.book(room.room_id)
        counted = Unread()
        for _ in range(_MOST_TRIES):
            until = self._positions.current
            threads = book.positions_of(user_id)
            read = _ReadUpTo(max(came_in, threads.get("", 0)), threads)
            if self._has_read_all(room, user_id, read, until):
                counted = Unread()
                break
            counted = await self._count(room, user_id, read, until)
            if book.positions_of(user_id) == read.threads and not self._has_news(room, until):
                break  # nothing that counts has happened while we counted
        return room.unread.setdefault(user_id, counted)

    def _has_read_all(self, room: LiveRoom, user_id: str, read: _ReadUpTo, until: int) -> bool:
        """Whether memory knows, without SQL, that nothing is left to be read."""
        entries = room.entries_after(read.everywhere, until)
        return entries is not None and not any(
            entry.notifies and entry.event.sender != user_id and not read.covers(entry.stream, thread_of(entry.event))
            for entry in entries
        )

    def _has_news(self, room: LiveRoom, after: int) -> bool:
        entries = room.entries_after(after, self._positions.current)
        return entries is None or any(entry.notifies for entry in entries)

    async def _count(self, room: LiveRoom, user_id: str, read: _ReadUpTo, until: int) -> Unread:
        unread = Unread()
        for stream, thread, highlight in await notified_between(self._database, room, user_id, read.everywhere, until):
            if not read.covers(stream, thread or MAIN):
                unread.add(thread or MAIN, highlight=highlight)
        return unread

    def _highlighted(self, room: LiveRoom, entry: Entry, judgement: Judgement) -> list[str]:
        if judgement.highlights_all:
            return sorted(room.joined_here - {entry.event.sender})
        return sorted((judgement.highlights & room.joined_here) - {entry.event.sender})


def thread_of(event: Event) -> str:
    """The root of the thread that an event is in, or ``main``."""
    relation = relation_of(event.content)
    return relation[0] if relation is not None and relation[1] == "m.thread" else MAIN
