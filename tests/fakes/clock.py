"""A clock that only a test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable


class _Timer:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """Implements ``server.foundation.clock.Clock``. Starts on 1 January 2024, 16:10:09 in Japan, and stands still."""

    def __init__(self, now_ms: int = 1_704_093_009_000) -> None:
        self._start_ms = now_ms
        self._passed = 0.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        return self._start_ms + round(self._passed * 1000)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> _Timer:
        timer = _Timer(callback)
        heapq.heappush(self._timers, (self._passed + max(seconds, 0.0), next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass: what falls due runs in its order, and tasks get their turns in between."""
        end = self._passed + seconds
        await _let_tasks_run()
        while self._timers and self._timers[0][0] <= end:
            self._passed, _order, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
            await _let_tasks_run()
        self._passed = end


async def _let_tasks_run() -> None:
    for _turn in range(5):
        await asyncio.sleep(0)
