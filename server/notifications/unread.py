"""Unread counts: kept in memory for members who look, counted from the database when somebody first does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from server.notifications.judging import Judges, Verdict
from server.notifications.notice_store import MOST_COUNTED, add_notice, notified_between, own_latest
from server.notifications.outcomes import HIGHLIGHTS, TOLD_OTHERWISE
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import Receipts
from server.rooms.relations import relation_of
from server.rooms.timeline import NOTIFIES, REJECTED, SOFT_FAILED, Entry
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

MAIN: Final = "main"
_MOST_TRIES: Final = 5
# Nobody is told of these; bit 8 is for events that only stand behind others and have no place in the timeline.
_UNSEEN: Final = REJECTED | SOFT_FAILED | 8
_MAY_NOTIFY: Final = NOTIFIES | TOLD_OTHERWISE

Listener = Callable[[LiveRoom, Entry, Verdict], None]


@dataclass(frozen=True, slots=True)
class _ReadUpTo:
    """Up to where one member has read: everywhere, and further in single threads."""

    everywhere: int
    threads: dict[str, int] = field(default_factory=dict)

    def covers(self, stream: int, thread: str) -> bool:
        return stream <= self.everywhere or stream <= self.threads.get(thread, 0)

    def and_said(self, own: Mapping[str, int]) -> _ReadUpTo:
        """Who says something has read what was said before it, there (spec: "Receiving notifications")."""
        if not own:
            return self
        return replace(self, threads={**self.threads, **{
            thread: max(stream, self.threads.get(thread, 0)) for thread, stream in own.items()
        }})


class UnreadCounts:
    """What each member has not read yet."""

    def __init__(
        self, database: Database, receipts: Receipts, positions: StreamPositions, judges: Judges
    ) -> None:
        self._database = database
        self._receipts = receipts
        self._positions = positions
        self._judges = judges
        self._judged: dict[int, Verdict] = {}
        self._listeners: list[Listener] = []

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A projection: judge the event, and keep who is told of it otherwise than all."""
        if entry.flags & _UNSEEN:
            return
        verdict = self._judges.verdict(room, entry.event)
        if verdict is None:
            return
        entry.flags |= verdict.flags
        self._judged[entry.stream] = verdict
        writes.on_failure.append(lambda: self._forget(entry.stream))
        for user_id in sorted(verdict.special):
            add_notice(writes, entry.stream, user_id, verdict.special[user_id])

    def _forget(self, stream: int) -> None:
        self._judged.pop(stream, None)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event that somebody here is told of, when its position has been reached."""
        self._listeners.append(listener)

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Count an event whose position has been reached, for all who are being counted."""
        if entry.event.type == "m.room.member" and entry.event.content.get("membership") != "join":
            room.unread.pop(str(entry.event.state_key), None)  # whoever comes again begins anew
        verdict = self._judged.pop(entry.stream, None)
        thread, sender = thread_of(entry.event), entry.event.sender
        if sender in room.unread and entry.event.state_key is None:
            room.unread[sender].read(thread)
        if verdict is None:
            return
        special = verdict.special
        for user_id, unread in room.unread.items():
            outcome = special.get(user_id, verdict.common)
            if outcome.notify and user_id != sender:
                unread.add(thread, highlight=outcome.highlight)
        for listener in self._listeners:
            listener(room, entry, verdict)

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
            if book.positions_of(user_id) == read.threads and not self._has_news(room, user_id, until):
                break  # nothing that counts has happened while we counted
        return room.unread.setdefault(user_id, counted)

    def _has_read_all(self, room: LiveRoom, user_id: str, read: _ReadUpTo, until: int) -> bool:
        """Whether memory knows, without SQL, that nothing is left to be read."""
        entries = room.entries_after(read.everywhere, until)
        if entries is not None:
            read = read.and_said(_said_by(user_id, entries))
        return entries is not None and not any(
            entry.flags & _MAY_NOTIFY and entry.event.sender != user_id
            and not read.covers(entry.stream, thread_of(entry.event))
            for entry in entries
        )

    def _has_news(self, room: LiveRoom, user_id: str, after: int) -> bool:
        entries = room.entries_after(after, self._positions.current)
        return entries is None or any(
            entry.flags & _MAY_NOTIFY or entry.event.sender == user_id for entry in entries
        )

    async def _count(self, room: LiveRoom, user_id: str, read: _ReadUpTo, until: int) -> Unread:
        unread = self._count_in_memory(room, user_id, read, until)
        if unread is not None:
            return unread
        unread = Unread()
        found = await notified_between(self._database, room, user_id, read.everywhere, until)
        if found:
            read = read.and_said(await own_latest(self._database, room.room_id, user_id, read.everywhere))
        for stream, thread, flags, highlight in found:
            if not read.covers(stream, thread or MAIN):
                unread.add(thread or MAIN, highlight=bool(flags & HIGHLIGHTS if highlight is None else highlight))
        return unread

    def _count_in_memory(self, room: LiveRoom, user_id: str, read: _ReadUpTo, until: int) -> Unread | None:
        """The same without SQL, where all that is unread is in memory and nobody is told of it otherwise than all."""
        entries = room.entries_after(read.everywhere, until)
        if entries is None or len(entries) > MOST_COUNTED:
            return None
        unread = Unread()
        read = read.and_said(_said_by(user_id, entries))
        for entry in entries:
            thread = thread_of(entry.event)
            if not entry.flags & _MAY_NOTIFY or entry.event.sender == user_id or read.covers(entry.stream, thread):
                continue
            if entry.flags & TOLD_OTHERWISE:
                return None
            unread.add(thread, highlight=bool(entry.flags & HIGHLIGHTS))
        return unread


def _said_by(user_id: str, entries: Sequence[Entry]) -> dict[str, int]:
    """The position of the last that a member has said among ``entries``, by thread."""
    return {
        thread_of(entry.event): entry.stream
        for entry in entries if entry.event.sender == user_id and entry.event.state_key is None
    }


def thread_of(event: Event) -> str:
    """The root of the thread that an event is in, or ``main``."""
    relation = relation_of(event.content)
    return relation[0] if relation is not None and relation[1] == "m.thread" else MAIN
