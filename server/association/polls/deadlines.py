"""The moment at which the next poll closes by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from server.association.polls.open_polls import OpenPolls
from server.foundation.clock import Clock, Timer

# A wall clock may be set meanwhile, so it is looked at again at least this often.
_LOOK_AGAIN_S: Final = 3600.0


class Deadlines:
    """Calls ``on_due`` when the deadline of an open poll has come, and at times in between."""

    def __init__(self, going: OpenPolls, clock: Clock, on_due: Callable[[], None]) -> None:
        self._going = going
        self._clock = clock
        self._on_due = on_due
        self._timer: Timer | None = None

    def look(self) -> None:
        """Wait for the deadline that comes first; nothing is waited for where there is none."""
        self.cancel()
        ends = [going.poll.deadline for going in self._going if going.poll.is_open and going.poll.deadline is not None]
        if ends:
            # A poll takes answers to the very millisecond of its deadline.
            wait_s = (min(ends) + 1 - self._clock.now_ms()) / 1000
            self._timer = self._clock.call_later(min(max(wait_s, 0.0), _LOOK_AGAIN_S), self._due)

    def cancel(self) -> None:
        """The node stops."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._on_due()
