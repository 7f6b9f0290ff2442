"""The one global order of everything that a client may have to hear of.

Every change that shows in ``/sync`` takes the next position. Writes overlap, so a position counts as reached only
when it and all before it are committed: ``current`` never runs ahead of one that is still on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


class PastPositions:
    """Positions before all others, each lower than the last: for what is learned of a time before ours."""

    def __init__(self, lowest: int) -> None:
        self._lowest = min(lowest, 0)

    def allocate(self) -> int:
        """The next position towards the past; below zero."""
        self._lowest -= 1
        return self._lowest


class StreamPositions:
    """Hands out positions and knows up to which all are committed."""

    def __init__(self, last: int, reserved: int = 2**62) -> None:
        self._last = last
        # Stretches that a lost node has given out and that mean nothing here (``restoration_store.py``).
        self.lost: Sequence[range] = ()
        # Positions above it must not be used before more are reserved on disk, see position_store.py.
        self.reserved = reserved
        self._open: dict[int, None] = {}
        self._waiting: list[tuple[int, Callable[[], None]]] = []

    @property
    def current(self) -> int:
        """All positions up to this one are committed (or were given up)."""
        for position in self._open:
            return position - 1
        return self._last

    @property
    def left(self) -> int:
        """How many positions are reserved and not used."""
        return self.reserved - self._last

    def is_lost(self, position: int) -> bool:
        """Whether a position is of a time that this node knows nothing of, because it came back from a backup."""
        return any(position in stretch for stretch in self.lost)

    def allocate(self) -> int:
        """The next position; call ``finish`` with it when it is committed or given up."""
        if self._last >= self.reserved:
            raise RuntimeError("no more stream positions are reserved")
        self._last += 1
        self._open[self._last] = None
        return self._last

    def finish(self, position: int) -> None:
        """``position`` is settled. Runs whatever waited for it and for all before it."""
        self._open.pop(position, None)
        if self._waiting:
            self._run_reached()

    def when_reached(self, position: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` as soon as ``current`` has come to ``position`` (at once if it has)."""
        if position <= self.current:
            callback()
        else:
            self._waiting.append((position, callback))

    def _run_reached(self) -> None:
        current = self.current
        ready = [callback for position, callback in self._waiting if position <= current]
        if ready:
            self._waiting = [item for item in self._waiting if item[0] > current]
            for callback in ready:
                callback()
