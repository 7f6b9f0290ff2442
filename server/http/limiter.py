"""A token bucket in memory (spec, "Rate limiting").

A bucket holds ``burst`` tokens and is filled again at ``per_second``. Buckets that are full are forgotten, and at
most ``_MOST_KEYS`` are kept, so that many addresses cannot fill the memory.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded

_MOST_KEYS: Final = 20_000
_SLACK: Final = 1e-9


class Limiter:
    """One limit, counted separately for each key (a user, an address). Without a ``burst`` it never refuses."""

    __slots__ = ("_burst", "_clock", "_full_at", "_per_second")

    def __init__(self, clock: Clock, per_second: float, burst: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        # The moment when the key's bucket is full again. It says all: how many tokens are left now.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> None:
        """Use one token of ``key``; raises ``LimitExceeded`` where there is none."""
        self.check(key)
        self.count(key)

    def check(self, key: str) -> None:
        """Raise ``LimitExceeded`` where ``key`` has no token left; use none."""
        full_at = self._full_at.get(key)
        if full_at is None:
            return
        missing = (full_at - self._clock.monotonic()) * self._per_second
        if missing <= 0:
            del self._full_at[key]
        elif missing > self._burst - 1 + _SLACK:
            wait = (missing - self._burst + 1) / self._per_second
            raise LimitExceeded("Too many requests; please wait a little", max(1, int(wait * 1000)))

    def count(self, key: str) -> None:
        """Use one token of ``key``, if there is one."""
        if self._burst:
            now = self._clock.monotonic()
            full_at = max(self._full_at.get(key, now), now) + 1 / self._per_second
            self._full_at[key] = min(full_at, now + self._burst / self._per_second)
            if len(self._full_at) > _MOST_KEYS:
                self._full_at.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Undo one ``take``."""
        if key in self._full_at:
            self._full_at[key] -= 1 / self._per_second
