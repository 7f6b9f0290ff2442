"""The clock of the seeding: it is set to the days on which things are meant to have happened."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from server.foundation.clock import TOKYO, Clock, SystemClock, Timer, tokyo_time

_STEP_MS: Final = 137


class Almanac:
    """A ``Clock`` whose date can be set. It moves on a little whenever it is asked, so no two things are at once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._now_ms = self._clock.now_ms()
        self.today = tokyo_time(self._now_ms).date()

    def at(self, days: int, hour: int, minute: int = 0) -> datetime.datetime:
        """A time of day in Japan, ``days`` from today (before it, where negative)."""
        day = self.today + datetime.timedelta(days=days)
        return datetime.datetime.combine(day, datetime.time(hour, minute), TOKYO)

    def ms_at(self, days: int, hour: int, minute: int = 0) -> int:
        """The same in milliseconds since 1970."""
        return int(self.at(days, hour, minute).timestamp() * 1000)

    def turn_to(self, days: int, hour: int, minute: int = 0) -> None:
        """It is that time now."""
        self._now_ms = self.ms_at(days, hour, minute)

    def turn_to_now(self) -> None:
        """It is what the machine's clock says."""
        self._now_ms = self._clock.now_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        self._now_ms += _STEP_MS
        return self._now_ms

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Really wait."""
        await self._clock.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Really later."""
        return self._clock.call_later(seconds, callback)
