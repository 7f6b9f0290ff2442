"""Telling neighbours that somebody's devices have changed (spec: "Tracking the device list for a user").

Whom it concerns is known only to the table of memberships. Changes that come close together, as on a day when
everybody logs in, are looked up and told together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from server.foundation.clock import Clock
from server.foundation.tasks import Tasks
from server.rooms.membership_store import users_who_share_rooms
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell

_GATHERED_S: Final = 0.1

# Hears of those whose devices have changed, and of all whom it concerns.
NewsListener = Callable[[Collection[str], Collection[str]], None]


class DeviceNews:
    """Wakes everybody who shares a room with a user whose devices have changed."""

    def __init__(self, database: Database, bell: Bell, positions: StreamPositions, tasks: Tasks, clock: Clock) -> None:
        self._database = database
        self._bell = bell
        self._positions = positions
        self._tasks = tasks
        self._clock = clock
        self._changed: set[str] = set()
        self._position = 0
        self._listeners: list[NewsListener] = []

    def listen(self, listener: NewsListener) -> None:
        """Call ``listener`` after every round."""
        self._listeners.append(listener)

    def follow(self, user_ids: Iterable[str], position: int) -> None:
        """A listener: these users' devices have changed."""
        if not self._changed:
            self._tasks.start("device news", self._tell())
        self._changed.update(user_ids)
        self._position = max(self._position, position)

    async def _tell(self) -> None:
        await self._clock.sleep(_GATHERED_S)
        changed, self._changed = self._changed, set()
        position = self._position
        concerned = changed | await users_who_share_rooms(self._database, changed)
        self._positions.when_reached(position, lambda: self._bell.users_changed(concerned, position))
        for listener in self._listeners:
            listener(changed, concerned)
