"""Wrong tries of invitation codes: few from one place, and not too many altogether."""

from __future__ import annotations

from collections import Counter
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded

_WINDOW_S: Final = 60.0
_OF_ONE: Final = 10
_OF_ALL: Final = 60


class Attempts:
    """Counts failures in windows of a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._failures: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Raise ``LimitExceeded`` where ``caller`` (an address), or all together, have failed too often just now."""
        left = self._began + _WINDOW_S - self._clock.monotonic()
        if left <= 0:
            self._began = self._clock.monotonic()
            self._failures.clear()
        elif self._failures[caller] >= _OF_ONE or self._failures.total() >= _OF_ALL:
            wait_ms = int(left * 1000) + 1
            raise LimitExceeded("まちがいが続いています。1分ほど待ってから、もう一度ためしてください", wait_ms)

    def fail(self, caller: str) -> None:
        """``caller`` was wrong."""
        self._failures[caller] += 1
