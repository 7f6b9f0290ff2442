"""Waiting for the content of an announced file (spec v1.7, ``timeout_ms``)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from server.foundation.clock import Clock


class Arrivals:
    """Who waits for which file. Costs nothing while nobody waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def expecting(self, media_id: str) -> Iterator[asyncio.Event]:
        """A mark that is set when the file arrives. Look for the file after this has begun, then ``wait``."""
        mark = asyncio.Event()
        marks = self._waiting.setdefault(media_id, set())
        marks.add(mark)
        try:
            yield mark
        finally:
            marks.discard(mark)
            if not marks:
                self._waiting.pop(media_id, None)

    async def wait(self, mark: asyncio.Event, seconds: float) -> None:
        """Until the mark is set, but at most ``seconds``."""
        timer = self._clock.call_later(seconds, mark.set)
        try:
            await mark.wait()
        finally:
            timer.cancel()

    def tell_all(self) -> None:
        """Nobody waits any longer."""
        for media_id in self._waiting:
            self.tell(media_id)

    def tell(self, media_id: str) -> None:
        """The file is there: wake whoever waits for it."""
        for mark in self._waiting.get(media_id, ()):
            mark.set()
