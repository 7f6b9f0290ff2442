"""Work on many entries: in a thread, one at a time for each person, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from server.calendars.model import Item
from server.calendars.refusals import Condition, refuse
from server.foundation.clock import Clock
from server.foundation.keyed_locks import KeyedLocks

# A report may do this twice: find the entries, and write them out.
LIMIT_S: Final = 2.4

Result = TypeVar("Result")


class LongWork:
    """Keeps whoever has thousands of daily series from taking the node's threads and minutes."""

    def __init__(self, clock: Clock, limit_s: float = LIMIT_S) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._one_each = KeyedLocks()

    async def over(self, owner: str, items: Iterable[Item], work: Callable[[Iterable[Item]], Result]) -> Result:
        """``work`` on ``items``, for ``owner``; raises 507 where it takes too long."""
        async with self._one_each.hold(owner):
            return await asyncio.to_thread(work, self._in_time(items))

    def _in_time(self, items: Iterable[Item]) -> Iterator[Item]:
        end = self._clock.monotonic() + self._limit_s
        for item in items:
            if self._clock.monotonic() > end:
                raise refuse(Condition.WITHIN_LIMITS, "That is too much at a time; ask for less", status=507)
            yield item
