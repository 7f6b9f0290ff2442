"""Putting things into the outbox. Whoever delivers is told after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from server.outbox.outbox_store import Parcel, add_parcel
from server.storage.database import Writes
from server.storage.streams import StreamPositions


class Outbox:
    """One a node."""

    def __init__(self, positions: StreamPositions) -> None:
        self._positions = positions
        self._wake: Callable[[str], None] = lambda _destination: None

    def deliver_by(self, wake: Callable[[str], None]) -> None:
        """``wake`` is called with a destination that has something new."""
        self._wake = wake

    def add_event(
        self, writes: Writes, destinations: Iterable[str], event_id: str, position: int, *, urgent: bool = False
    ) -> None:
        """An event that stands at ``position``, for each of ``destinations``."""
        for destination in sorted(destinations):
            self._add(writes, Parcel(destination, position, urgent, event_id, None))

    def add_message(self, writes: Writes, destinations: Iterable[str], message: bytes, *, urgent: bool = False) -> None:
        """Something whole that is no event of a room, as canonical JSON, for each of ``destinations``."""
        for destination in sorted(destinations):
            position = self._positions.allocate()
            finish = partial(self._positions.finish, position)
            writes.after_commit.append(finish)
            writes.on_failure.append(finish)
            self._add(writes, Parcel(destination, position, urgent, None, message))

    def _add(self, writes: Writes, parcel: Parcel) -> None:
        add_parcel(writes, parcel)
        writes.after_commit.append(lambda: self._wake(parcel.destination))
