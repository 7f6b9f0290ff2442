"""News about an account that show in ``/sync``: the position that a change takes, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from server.storage.database import AfterCommit
from server.storage.streams import StreamPositions

# The users whom a committed change concerns, and its position.
Listener = Callable[[Iterable[str], int], None]


class Hooks(Protocol):
    """What a transaction and decided rows have in common."""

    after_commit: list[AfterCommit]
    on_failure: list[AfterCommit]


class Changes:
    """One kind of change. Listeners are called after the commit, before the position counts as reached."""

    def __init__(self, positions: StreamPositions) -> None:
        self._positions = positions
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` after every commit of this kind."""
        self._listeners.append(listener)

    def enter(self, hooks: Hooks, users: Iterable[str]) -> int:
        """A position for a change that is about to be written with ``hooks`` (``Writes`` or a ``Transaction``)."""
        position = self._positions.allocate()
        concerned = tuple(users)
        hooks.after_commit.append(lambda: self._committed(concerned, position))
        hooks.on_failure.append(lambda: self._positions.finish(position))
        return position

    def _committed(self, users: tuple[str, ...], position: int) -> None:
        try:
            for listener in self._listeners:
                listener(users, position)
        finally:
            self._positions.finish(position)
