"""Waking those who wait, and knowing without SQL that somebody has nothing new.

The first change in a room wakes its members at once. Changes that follow close upon it are gathered and delivered
together: the more people wait, the longer the pause (half a millisecond a member, half a second at most), so that a
burst of answers costs a few rounds of deliveries and not one a message. Receipts and typing are never worth a
round of their own: they wait for a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from server.foundation.clock import Clock, Timer
from server.rooms.live_room import LiveRoom

_PAUSE_PER_MEMBER_S: Final = 0.0005
_LONGEST_PAUSE_S: Final = 0.5
_QUIET_PAUSE_S: Final = 0.1
# From the commit to the answer: the shield around it, the task that awaits it.
_TURNS: Final = 3


class Bell:
    """Who waits for what, and which position last concerned whom."""

    def __init__(self, clock: Clock, started_at: int, server_name: str) -> None:
        self._clock = clock
        # Ours are those whose names end so; nothing is kept for the others, who do not wait here.
        self._ours = f":{server_name}"
        # What happened before the start is only in the database; assume that it concerns everybody.
        self._started_at = started_at
        self._last_of_room: dict[str, int] = {}
        # The rooms that have changed since the start in that order, each with a position not below its last one.
        self._order: dict[str, int] = {}
        self._newest = started_at
        self._last_of_user: dict[str, int] = {}
        self._last_typing: dict[str, int] = {}
        self._last_presence: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._rang_at: dict[str, float] = {}
        self._timers: dict[str, Timer] = {}
        # The rooms of these timers, as they were at the last change.
        self._due: dict[str, LiveRoom] = {}

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiting.values()))

    def last_of_room(self, room_id: str) -> int:
        """The last position that concerned a room."""
        return self._last_of_room.get(room_id, self._started_at)

    def knows_room(self, room_id: str) -> bool:
        """Whether it is known what last concerned a room, and not only assumed."""
        return room_id in self._last_of_room

    def learn_room(self, room_id: str, position: int) -> None:
        """What was read from the database: nothing after ``position`` concerned the room. What is known stays."""
        self._last_of_room.setdefault(room_id, position)

    def rooms_since(self, position: int, most: int) -> list[str] | None:
        """The rooms that may have changed after ``position``; ``None`` if that is unknown, or if there are too many."""
        if position < self._started_at:
            return None
        found: list[str] = []
        for room_id, changed in reversed(self._order.items()):
            if changed <= position:
                return found
            if len(found) == most:
                return None
            found.append(room_id)
        return found

    def last_of_user(self, user_id: str) -> int:
        """The last position that concerned a user in any way."""
        return self._last_of_user.get(user_id, self._started_at)

    def last_typing(self, user_id: str) -> int:
        """The last typing position that concerned a user."""
        return self._last_typing.get(user_id, 0)

    def last_presence(self, user_id: str) -> int:
        """The last presence position that concerned a user."""
        return self._last_presence.get(user_id, 0)

    def room_changed(self, room: LiveRoom, position: int) -> None:
        """An event has been committed: its members hear of it at once, or after a short pause."""
        self._note(room, position)
        self._ring_soon(room, urgent=True)

    def room_read(self, room: LiveRoom, position: int) -> None:
        """A receipt has been committed; it may wait a little."""
        self._note(room, position)
        self._ring_soon(room, urgent=False)

    def typing_changed(self, room: LiveRoom, position: int) -> None:
        """The typists of a room have changed."""
        for user_id in room.joined_here:
            self._last_typing[user_id] = position
        self._ring_soon(room, urgent=False)

    def presence_changed(self, user_ids: Iterable[str], position: int) -> None:
        """People around these users have come or gone."""
        for user_id in filter(self._is_ours, user_ids):
            self._last_presence[user_id] = position
            self._wake(user_id)

    def users_changed(self, user_ids: Iterable[str], position: int) -> None:
        """Something of these users' own has been committed."""
        for user_id in filter(self._is_ours, user_ids):
            if self._last_of_user.get(user_id, 0) < position:
                self._last_of_user[user_id] = position
            self._wake(user_id)

    async def wait(self, user_id: str, seconds: float) -> None:
        """Wait until the user is woken, or until the time is over."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(user_id, set())
        waiting.add(future)
        timer = self._clock.call_later(seconds, lambda: _set(future))
        try:
            await future
        finally:
            timer.cancel()
            waiting.discard(future)
            if not waiting and self._waiting.get(user_id) is waiting:
                del self._waiting[user_id]

    def wake_all(self) -> None:
        """The node stops: answer everybody now."""
        for user_id in list(self._waiting):
            self._wake(user_id)

    def _is_ours(self, user_id: str) -> bool:
        return user_id.endswith(self._ours)

    def _note(self, room: LiveRoom, position: int) -> None:
        if self._last_of_room.get(room.room_id, 0) < position:
            self._last_of_room[room.room_id] = position
        self._newest = max(self._newest, position)
        self._order.pop(room.room_id, None)
        self._order[room.room_id] = self._newest
        last = self._last_of_user
        for user_id in room.joined_here:
            if last.get(user_id, 0) < position:
                last[user_id] = position

    def _ring_soon(self, room: LiveRoom, *, urgent: bool) -> None:
        room_id = room.room_id
        if room_id in self._timers:
            self._due[room_id] = room
            if not urgent:
                return
        pause = min(_LONGEST_PAUSE_S, _PAUSE_PER_MEMBER_S * len(room.joined_here))
        delay = self._rang_at.get(room_id, -1.0) + pause - self._clock.monotonic()
        if not urgent:
            delay = max(delay, _QUIET_PAUSE_S, pause)
        if delay <= 0:
            self._ring(room)
        elif room_id not in self._timers:
            self._due[room_id] = room
            self._timers[room_id] = self._clock.call_later(delay, lambda: self._ring(self._due[room_id]))

    def _ring(self, room: LiveRoom) -> None:
        timer = self._timers.pop(room.room_id, None)
        if timer is not None:
            timer.cancel()
            del self._due[room.room_id]
        self._rang_at[room.room_id] = self._clock.monotonic()
        self._wake_members(room, _TURNS)

    def _wake_members(self, room: LiveRoom, turns: int) -> None:
        """Wake them after so many turns of the loop: the sender has the answer to the request before the event itself.

        Clients that hear of their own message first are confused by the answer (matrix-js-sdk, in threads).
        """
        if turns:
            asyncio.get_running_loop().call_soon(self._wake_members, room, turns - 1)
            return
        for user_id in room.joined_here:
            self._wake(user_id)

    def _wake(self, user_id: str) -> None:
        waiting = self._waiting.pop(user_id, None)
        if waiting is not None:
            for future in waiting:
                _set(future)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
