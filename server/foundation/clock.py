"""Time is handed in (STYLE guideline 11): nothing else in the tree asks the operating system for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
# Days outside are nobody's appointment; inside, no arithmetic of ours or of a library runs out of the calendar.
# (1604 is the year that Apple gives to birthdays without one.)
FIRST_YEAR: Final = 1600
LAST_YEAR: Final = 2399


class Timer(Protocol):
    """Something that was asked for later and can be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What the node knows of time. Tests bring a clock of their own."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, as Matrix counts them."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer: ...


class SystemClock:
    """The real clock of the machine."""

    def now_ms(self) -> int:
        return int(time.time() * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)


def tokyo_time(ms: int) -> datetime:
    """The moment ``ms`` (since 1970) as a clock on a wall in Japan shows it, whatever the process's zone."""
    return datetime.fromtimestamp(ms / 1000, TOKYO)


def is_reckonable(day: date) -> bool:
    """Whether a day that somebody has written can be reckoned with: it lies far from both ends of the calendar."""
    return FIRST_YEAR <= day.year <= LAST_YEAR
