"""Pushers (spec: "Push Notifications", "Client behaviour"): which app of whom is told, and where.

All are in memory, so that an event costs nothing where nobody has one. What is due to them is found by the loop in
``delivery.py``; here nothing is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, KeysView
from dataclasses import replace
from functools import partial
from typing import Final

from server.foundation.errors import Refused
from server.notifications.pusher_store import (
    Pusher,
    PusherKey,
    all_pushers,
    drop_pusher,
    move_pusher,
    set_pusher,
)
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

MOST_PER_USER: Final = 50


class Pushers:
    """Everybody's pushers. ``await open()`` once before use."""

    def __init__(self, database: Database, positions: StreamPositions) -> None:
        self._database = database
        self._positions = positions
        self._known: dict[str, dict[PusherKey, Pusher]] = {}
        # The position and the number that the row of a pusher has.
        self._kept: dict[PusherKey, tuple[int, int | None]] = {}
        # Who is told at the same place: a family with one telephone.
        self._beside: dict[tuple[str, str], set[str]] = {}
        self._listeners: list[Callable[[PusherKey], None]] = []
        # Whose gateway does not answer now; the loop that tells them notes it.
        self.failing: set[PusherKey] = set()

    async def open(self) -> None:
        """Learn who has pushers."""
        for pusher in await all_pushers(self._database):
            self._note(pusher)

    def listen(self, listener: Callable[[PusherKey], None]) -> None:
        """Call ``listener`` when a pusher has been set."""
        self._listeners.append(listener)

    @property
    def users(self) -> KeysView[str]:
        """Who has pushers."""
        return self._known.keys()

    def of(self, user_id: str) -> list[Pusher]:
        """The pushers of a user, the oldest first."""
        return list(self._known.get(user_id, {}).values())

    def is_shared(self, key: PusherKey) -> bool:
        """Whether others are told at the same place."""
        return len(self._beside.get(key[1:], ())) > 1

    def find(self, key: PusherKey) -> Pusher | None:
        """One pusher."""
        return self._known.get(key.user_id, {}).get(key)

    async def set(self, pusher: Pusher, *, append: bool) -> None:
        """Add a pusher or put it over the one of its key; one that is known goes on where it was.

        Without ``append``, other users lose their pushers for the same app and pushkey. Raises ``Refused``.
        """
        known = self.find(pusher.key)
        if known is None and len(self.of(pusher.key.user_id)) >= MOST_PER_USER:
            raise Refused(f"You have {MOST_PER_USER} pushers; remove some before you add more")
        goes_on = known is not None and known.enabled
        pusher = replace(
            pusher, delivered=known.delivered if known is not None and goes_on else self._positions.current,
            badge=known.badge if known is not None else None,
        )
        writes = Writes()
        set_pusher(writes, pusher)
        if not append:
            self._drop(writes, self._of_others(pusher.key))
        writes.after_commit.append(lambda: self._was_set(pusher))
        await asyncio.shield(self._database.submit(writes))

    async def remove(self, key: PusherKey) -> None:
        """Remove a pusher, if it is there."""
        if self.find(key) is not None:
            writes = Writes()
            self._drop(writes, [key])
            await asyncio.shield(self._database.submit(writes))

    def drop_with_device(self, user_id: str, device_id: str, writes: Writes) -> None:
        """Whoever logs out on a device is not told there any more; for ``Sessions.when_dropped``."""
        self._drop(writes, [pusher.key for pusher in self.of(user_id) if pusher.device_id == device_id])

    def passed(self, key: PusherKey, delivered: int, badge: int | None = None) -> None:
        """An app has been told up to a position, or there was nothing to tell; ``moved`` keeps it on disk."""
        pusher = self.find(key)
        if pusher is not None:
            self._known[key.user_id][key] = replace(
                pusher, delivered=max(delivered, pusher.delivered), badge=pusher.badge if badge is None else badge
            )

    async def moved(self, key: PusherKey) -> None:
        """Keep on disk up to where an app has been told."""
        pusher = self.find(key)
        if pusher is not None and self._kept[key] != (pusher.delivered, pusher.badge):
            writes = Writes()
            self._keep(writes, key)
            await asyncio.shield(self._database.submit(writes))

    async def keep_positions(self) -> None:
        """Write the positions of all who were passed over, so that little is looked through after a restart."""
        writes = Writes()
        for pushers in self._known.values():
            for key, pusher in pushers.items():
                if self._kept[key] != (pusher.delivered, pusher.badge):
                    self._keep(writes, key)
        if writes.rows:
            await asyncio.shield(self._database.submit(writes))

    def _keep(self, writes: Writes, key: PusherKey) -> None:
        pusher = self._known[key.user_id][key]
        self._kept[key] = pusher.delivered, pusher.badge
        move_pusher(writes, key, pusher.delivered, pusher.badge)

    def _of_others(self, key: PusherKey) -> list[PusherKey]:
        return [PusherKey(user_id, *key[1:]) for user_id in self._beside.get(key[1:], ()) if user_id != key.user_id]

    def _drop(self, writes: Writes, keys: Iterable[PusherKey]) -> None:
        for key in keys:
            drop_pusher(writes, key)
            writes.after_commit.append(partial(self._forget, key))

    def _was_set(self, pusher: Pusher) -> None:
        self._note(pusher)
        for listener in self._listeners:
            listener(pusher.key)

    def _note(self, pusher: Pusher) -> None:
        self._known.setdefault(pusher.key.user_id, {})[pusher.key] = pusher
        self._beside.setdefault(pusher.key[1:], set()).add(pusher.key.user_id)
        self._kept[pusher.key] = pusher.delivered, pusher.badge

    def _forget(self, key: PusherKey) -> None:
        self._kept.pop(key, None)
        self.failing.discard(key)
        beside = self._beside.get(key[1:], set())
        beside.discard(key.user_id)
        if not beside:
            self._beside.pop(key[1:], None)
        pushers = self._known.get(key.user_id, {})
        pushers.pop(key, None)
        if not pushers:
            self._known.pop(key.user_id, None)
