"""Who is typing, in memory only (spec: "Typing Notifications")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from server.foundation.clock import Clock, Timer
from server.foundation.errors import Forbidden
from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry

_LONGEST_MS: Final = 60_000

TypingListener = Callable[[LiveRoom], None]


class Typing:
    """Who is typing where. Every change takes the next of its own positions, which run on over restarts."""

    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock
        self._typing: dict[str, dict[str, Timer]] = {}
        self._changed: dict[str, int] = {}
        # Begins at the time of the start, so that a token from before it is never ahead of us.
        self.position = clock.now_ms()
        self._listeners: list[TypingListener] = []

    def listen(self, listener: TypingListener) -> None:
        """Call ``listener`` whenever the typists of a room change."""
        self._listeners.append(listener)

    async def set(self, room_id: str, user_id: str, is_typing: bool, timeout_ms: int = 30_000) -> None:
        """``user_id`` types for ``timeout_ms`` at most, or has stopped."""
        room = await self._rooms.get(room_id)
        if room.membership(user_id) != "join":
            raise Forbidden("You are not in this room")
        typists = self._typing.setdefault(room_id, {})
        timer = typists.pop(user_id, None)
        if timer is not None:
            timer.cancel()
        if is_typing:
            seconds = max(0, min(timeout_ms, _LONGEST_MS)) / 1000
            typists[user_id] = self._clock.call_later(seconds, lambda: self._stopped(room, user_id))
        if is_typing != (timer is not None):
            self._announce(room)
        elif not typists:
            del self._typing[room_id]

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Who has left the room does not type there any more."""
        user_id = entry.event.state_key
        if entry.event.type != "m.room.member" or user_id is None or entry.event.content.get("membership") == "join":
            return
        timer = self._typing.get(room.room_id, {}).get(user_id)
        if timer is not None:
            timer.cancel()
            self._stopped(room, user_id)

    def in_room(self, room_id: str) -> list[str]:
        """Who is typing now."""
        return sorted(self._typing.get(room_id, ()))

    def changed_after(self, room_id: str, position: int) -> bool:
        """Whether the typists of a room have changed since ``position``."""
        return self._changed.get(room_id, 0) > position

    def rooms_changed_after(self, position: int) -> list[str]:
        """The rooms whose typists have changed since ``position``."""
        found: list[str] = []
        for room_id, changed in reversed(self._changed.items()):
            if changed <= position:
                break
            found.append(room_id)
        return found

    def _stopped(self, room: LiveRoom, user_id: str) -> None:
        if self._typing.get(room.room_id, {}).pop(user_id, None) is not None:
            self._announce(room)

    def _announce(self, room: LiveRoom) -> None:
        self.position += 1
        self._changed.pop(room.room_id, None)  # so that they stand in the order of their changes
        self._changed[room.room_id] = self.position
        if not self._typing.get(room.room_id):
            self._typing.pop(room.room_id, None)
        for listener in self._listeners:
            listener(room)
