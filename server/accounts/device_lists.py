"""Whose devices or keys have changed, and when (spec, "Tracking the device list for a user")."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from server.accounts.changes import Changes, Listener
from server.accounts.device_lists_store import all_changes, set_change, write_change
from server.storage.database import Database, Transaction, Writes
from server.storage.streams import StreamPositions


class DeviceLists:
    """The latest change of each user, in memory in the order of the changes."""

    def __init__(self, database: Database, positions: StreamPositions) -> None:
        self._database = database
        self._changes = Changes(positions)
        self._latest: OrderedDict[str, int] = OrderedDict()
        self._changes.listen(self._note)

    async def open(self) -> None:
        """Learn the latest changes."""
        self._latest = OrderedDict(await all_changes(self._database))

    def listen(self, listener: Listener) -> None:
        """Call ``listener(users, position)`` after each change."""
        self._changes.listen(listener)

    def enter(self, writes: Writes, users: Iterable[str]) -> int:
        """The devices or keys of ``users`` change with the rows of ``writes``; answers the position of that."""
        changed = tuple(users)
        position = self._changes.enter(writes, changed)
        for user_id in changed:
            set_change(writes, user_id, position)
        return position

    async def enter_now(self, tx: Transaction, users: Iterable[str]) -> int:
        """The same inside a transaction of one's own."""
        changed = tuple(users)
        position = self._changes.enter(tx, changed)
        for user_id in changed:
            await write_change(tx, user_id, position)
        return position

    def latest(self, user_id: str) -> int:
        """The position of a user's latest change; 0 where none is known."""
        return self._latest.get(user_id, 0)

    def between(self, after: int, until: int) -> list[str]:
        """Users whose latest change has ``after < position <= until``. Costs no SQL."""
        found = []
        for user_id in reversed(self._latest):
            position = self._latest[user_id]
            if position <= after:
                break
            if position <= until:
                found.append(user_id)
        return found

    def _note(self, users: Iterable[str], position: int) -> None:
        newest = self._latest[next(reversed(self._latest))] if self._latest else 0
        for user_id in users:
            if position > self._latest.get(user_id, 0):
                self._latest[user_id] = position
                self._latest.move_to_end(user_id)
        if position < newest:
            # A transaction of its own may be committed before rows that were submitted earlier.
            self._latest = OrderedDict(sorted(self._latest.items(), key=lambda item: item[1]))
