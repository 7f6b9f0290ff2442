"""Guests leave a room that does not admit guests any more (spec: "Guest Access", server behaviour)."""

from __future__ import annotations

import asyncio
import logging

from server.foundation.errors import Refused
from server.rooms.event import Event
from server.rooms.guest_store import guests_in_rooms
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

GUEST_ACCESS = "m.room.guest_access"

logger = logging.getLogger(__name__)


def admits_guests(room: LiveRoom) -> bool:
    """Whether guests may be in a room."""
    return room.content(GUEST_ACCESS).get("guest_access") == "can_join"


def _admits(event: Event) -> bool:
    return event.content.get("guest_access") == "can_join"


class Guests:
    """Lets guests leave, in a task of its own: whoever shuts the door need not wait for that."""

    def __init__(self, database: Database, sender: EventSender) -> None:
        self._database = database
        self._sender = sender
        # Set at the start, too: the node may have stopped before all had left.
        self._due = asyncio.Event()
        self._due.set()

    def project(self, _room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A projection: where ``m.room.guest_access`` has changed, somebody may have to leave after the commit."""
        if entry.event.type != GUEST_ACCESS and entry.moved is None:
            return
        _, current = entry.changes.get((GUEST_ACCESS, ""), (None, None))
        if (GUEST_ACCESS, "") in entry.changes and (current is None or not _admits(current)):
            writes.after_commit.append(self._due.set)

    async def look_after(self) -> None:
        """Wait until somebody may have to leave, and let them. For a task that does this again and again."""
        await self._due.wait()
        self._due.clear()
        for user_id, room_id in await guests_in_rooms(self._database):
            room = await self._sender.rooms.find(room_id)
            if room is not None and not admits_guests(room):
                await self._leave(room_id, user_id)

    async def _leave(self, room_id: str, user_id: str) -> None:
        content = {"membership": "leave", "reason": "Guests are not admitted any more"}
        try:
            await self._sender.send(Draft(room_id, user_id, "m.room.member", content, user_id))
        except Refused as refused:
            logger.info("a guest stayed: %s", refused)
