"""Looking at what linked nodes have sent: one letter after the other, alerts first, none lost over a restart.

A letter is a row, written with its event. Whoever reads one may be stopped anywhere in between and reads it again, so
reading twice must be reading once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from federation.links.inbox_store import Letter, letter_done, waiting_letters
from server.foundation.clock import Clock, Timer
from server.foundation.tasks import Tasks
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

Reader = Callable[[Letter], Awaitable[None]]

_TOGETHER: Final = 100
_RETRY_S: Final = 30.0
_LATE_MS: Final = 2_000
_QUIET_S: Final = 0.15
# A letter that we fail at so often is given up: it must not hold up what is behind it.
_MOST_FAILURES: Final = 5


class NotYet(Exception):
    """The letter cannot be judged now (a key cannot be fetched); it stays and is read again later."""


class Inbox:
    """Reads letters as they come. ``await read_all()`` is what ``wake`` starts."""

    def __init__(
        self, database: Database, clock: Clock, tasks: Tasks, readers: Mapping[str, Reader],
        give_up: Callable[[Letter], Awaitable[None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._tasks = tasks
        self._readers = readers
        self._give_up = give_up
        self._reading = asyncio.Lock()
        self._is_asked = False
        self._failures: dict[str, int] = {}
        self._timer: Timer | None = None

    def wake(self) -> None:
        """There is something to read."""
        if not self._is_asked:
            self._is_asked = True
            self._tasks.start("letters of linked nodes", self.read_all())

    def close(self) -> None:
        """The node stops."""
        if self._timer is not None:
            self._timer.cancel()

    async def read_all(self) -> None:
        """Read everything that waits; what must wait longer is tried again after a while."""
        async with self._reading:
            left: set[str] = set()
            while True:
                self._is_asked = False
                letters = await waiting_letters(self._database, _TOGETHER + len(left))
                fresh = [letter for letter in letters if letter.event_id not in left]
                if not fresh:
                    break
                if self._comes_late(fresh[0]) and not await self._is_quiet(letters):
                    continue
                for letter in fresh:
                    if not await self._read(letter):
                        left.add(letter.event_id)
            if left:
                self._timer = self._clock.call_later(_RETRY_S, self.wake)

    def _comes_late(self, letter: Letter) -> bool:
        """Whether we were away when it was sent. Then more may be coming, and an alert among it goes before all."""
        return not letter.urgent and letter.ts < self._clock.now_ms() - _LATE_MS

    async def _is_quiet(self, letters: Sequence[Letter]) -> bool:
        """Whether nothing more has come for a moment."""
        if len(letters) >= _TOGETHER:
            return True
        await self._clock.sleep(_QUIET_S)
        newest = await waiting_letters(self._database, len(letters) + 1)
        return {letter.event_id for letter in newest} <= {letter.event_id for letter in letters}

    async def _read(self, letter: Letter) -> bool:
        """Whether the letter is done with."""
        reader = self._readers.get(letter.kind)
        try:
            if reader is not None:
                await reader(letter)
        except NotYet:
            return False
        except Exception:
            logger.exception("a letter of a linked node could not be read")
            self._failures[letter.event_id] = self._failures.get(letter.event_id, 0) + 1
            if self._failures[letter.event_id] < _MOST_FAILURES:
                return False
            await self._give_up(letter)
        self._failures.pop(letter.event_id, None)
        writes = Writes()
        letter_done(writes, letter.event_id)
        await asyncio.shield(self._database.submit(writes))
        return True
