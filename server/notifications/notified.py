"""What one user was told of by the push rules (spec: "Listing Notifications")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from server.foundation.errors import NotFound
from server.notifications.notice_store import own_latest
from server.notifications.notified_store import Told, position_before, told_between
from server.notifications.outcomes import Outcome
from server.notifications.unread import thread_of
from server.rooms.event_store import entry_of
from server.rooms.history import History
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry
from server.storage.database import Database

# How far one request looks, in events. (Not in positions: a restart leaps over many.)
_STRETCH: Final = 20_000


class Notification(NamedTuple):
    """One event, what the user's push rules made of it, and whether they have read it."""

    entry: Entry
    room_id: str
    outcome: Outcome
    read: bool


class Notified:
    """Lists notifications."""

    def __init__(self, database: Database, rooms: Rooms, history: History, receipts: Receipts) -> None:
        self._database = database
        self._rooms = rooms
        self._history = history
        self._receipts = receipts

    async def page(
        self, user_id: str, before: int | None, limit: int, *, only_highlights: bool
    ) -> tuple[Sequence[Notification], int | None]:
        """Up to ``limit`` notifications from before a position, the newest first, and the position to go on before."""
        start = self._history.newest + 1 if before is None else min(before, self._history.newest + 1)
        after = await position_before(self._database, start, _STRETCH)
        told = await told_between(
            self._database, user_id, after, start, limit + 1, only_highlights=only_highlights
        )
        oldest = told[-1].stream if told else start
        said = {
            room_id: await own_latest(self._database, room_id, user_id, oldest)
            for room_id in {item.room_id for item in told[:limit]}
        }
        found = [await self._notification(user_id, item, said[item.room_id]) for item in told[:limit]]
        following = told[limit - 1].stream if len(told) > limit else after + 1 if after else None
        return [item for item in found if item is not None], following

    async def _notification(self, user_id: str, told: Told, said: Mapping[str, int]) -> Notification | None:
        entry = await self._entry(user_id, told)
        if entry is None:
            return None
        read = (await self._receipts.book(told.room_id)).positions_of(user_id)
        thread = thread_of(entry.event)
        up_to = max(read.get("", 0), read.get(thread, 0), said.get(thread, 0))
        return Notification(entry, told.room_id, told.outcome, told.stream <= up_to)

    async def _entry(self, user_id: str, told: Told) -> Entry | None:
        try:
            return await self._history.event(told.room_id, user_id, told.event_id)
        except NotFound:
            room = await self._rooms.find(told.room_id)
        if room is None:
            return None
        # Of the room into which they are invited, people may see their invitation.
        entry = room.find(told.event_id) or await entry_of(self._database, room, told.event_id)
        return entry if entry is not None and entry.event.state_key == user_id else None
