"""Unread counts: kept in memory for members who look, counted from the database when somebody first does."""

from __future__ import annotations

from server.notifications.default_rules import SILENT, Judgement, judge
from server.notifications.notice_store import add_notice, count_unread
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import Receipts
from server.rooms.timeline import NOTIFIES, Entry
from server.storage.database import Database, Writes


class UnreadCounts:
    """What each member has not read yet."""

    def __init__(self, database: Database, receipts: Receipts) -> None:
        self._database = database
        self._receipts = receipts
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
        """A listener: count the event for all who are being counted. Who writes has read."""
        judgement = self._judged.pop(entry.stream, None)
        if judgement is None:
            return
        sender = entry.event.sender
        for user_id, unread in room.unread.items():
            if user_id != sender:
                unread.notify += 1
        for user_id in self._highlighted(room, entry, judgement):
            counted = room.unread.get(user_id)
            if counted is not None:
                counted.highlight += 1

    def follow_receipt(self, room: LiveRoom, receipt: Receipt) -> None:
        """A listener: the member has read, so count anew when asked."""
        room.unread.pop(receipt.user_id, None)

    async def of(self, room: LiveRoom, user_id: str) -> Unread:
        """What a member has not read."""
        known = room.unread.get(user_id)
        if known is not None:
            return known
        after = await self._read_up_to(room, user_id)
        counted = self._count_in_memory(room, user_id, after)
        if counted is None:
            counted = await count_unread(self._database, room, user_id, after)
        return room.unread.setdefault(user_id, counted)

    def _count_in_memory(self, room: LiveRoom, user_id: str, after: int) -> Unread | None:
        """Without SQL where nothing that notifies came after the receipt."""
        if after < room.complete_after:
            return None
        unread = 0
        for entry in reversed(room.timeline):
            if entry.stream <= after:
                break
            if entry.notifies and entry.event.sender != user_id:
                unread += 1
        return None if unread else Unread()

    async def _read_up_to(self, room: LiveRoom, user_id: str) -> int:
        """The later of the member's last receipt and of their coming in."""
        book = await self._receipts.book(room.room_id)
        read = [
            receipt.event_stream for kind in ("m.read", "m.read.private")
            if (receipt := book.find(user_id, kind)) is not None
        ]
        joined = room.member(user_id)
        entry = room.find(joined.event_id) if joined is not None else None
        return max([*read, entry.stream if entry else 0])

    def _highlighted(self, room: LiveRoom, entry: Entry, judgement: Judgement) -> list[str]:
        if judgement.highlights_all:
            return sorted(room.joined_here - {entry.event.sender})
        return sorted((judgement.highlights & room.joined_here) - {entry.event.sender})
