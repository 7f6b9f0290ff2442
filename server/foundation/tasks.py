"""Background tasks and their owner (STYLE guideline 11): nothing runs without somebody who stops it and hears it fail.

What must certainly happen is a row in a table; a task only walks round and looks what there is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from server.foundation.clock import Clock

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Tasks:
    """The owner of background tasks: ``start`` them, and ``stop`` cancels and awaits what still runs."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._stopped = False

    @property
    def are_over(self) -> bool:
        """Whether nothing may be started any more."""
        return self._stopped

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` beside everything else; an exception that leaves it is logged under ``name``.

        Raises ``RuntimeError`` once ``stop`` has been called.
        """
        if self._stopped:
            work.close()
            raise RuntimeError(f"{name} was started after the end")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            logger.error("the task %s failed", task.get_name(), exc_info=fault)

    async def stop(self) -> None:
        """Cancel all tasks and wait until each has ended; tasks cannot be started any more."""
        self._stopped = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def keep_doing(name: str, step: Callable[[], Awaitable[object]], clock: Clock, *, every_s: float) -> None:
    """Do ``step`` again and again, ``every_s`` seconds apart; a failed round is logged and not the end."""
    while True:
        try:
            await step()
        except Exception:
            logger.exception("a round of %s failed; the next one follows in %g s", name, every_s)
        await clock.sleep(every_s)


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do it all beside each other; the results in the same order. One alone needs no task of its own."""
    if len(work) == 1:
        return [await work[0]]
    return await asyncio.gather(*work)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` whole, even if the caller is cancelled meanwhile; the cancellation is raised afterwards.

    For what must not be left in its middle: a statement on a connection that others will use after us.
    """
    task = asyncio.get_running_loop().create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as fault:
            cancelled = fault
    if cancelled is not None:
        task.exception()  # seen; the cancellation counts
        raise cancelled
    return task.result()
