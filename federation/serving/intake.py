"""How much of what other servers send is in hand at once: so much and no more, whoever sends it.

A server that sends one transaction after another, as it should, never notices. What is turned down with 429 is sent
again by its server, later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded
from server.foundation.keyed_locks import KeyedLocks
from server.http.limiter import Limiter

# Transactions of one server, the one that is being taken and those that wait for it.
_MOST_OF_ONE: Final = 5
# Bytes of all that is in hand; what is small still comes in where large things fill the first part.
_MOST_LARGE: Final = 48 * 1024 * 1024
_MOST: Final = 64 * 1024 * 1024
_SMALL: Final = 256 * 1024
# What a request costs that has hardly any content.
_LEAST: Final = 16 * 1024
_RETRY_MS: Final = 2_000
# Letters to devices, counted by device: they are kept until they are fetched, and some devices never come back.
_MOST_LETTERS: Final = 10_000
_LETTERS_PER_S: Final = 20.0


class Intake:
    """One a node."""

    def __init__(self) -> None:
        self.turns = KeyedLocks()
        self._bytes = 0
        self._of_one: dict[str, int] = {}
        self._letters: Limiter | None = None

    @property
    def bytes_in_hand(self) -> int:
        """Of all requests that are being read or carried out."""
        return self._bytes

    @contextmanager
    def space(self, size: int) -> Iterator[None]:
        """Room for a request of ``size`` bytes; raises ``LimitExceeded`` where there is none."""
        size = max(size, _LEAST)
        if self._bytes + size > (_MOST if size <= _SMALL else _MOST_LARGE):
            raise LimitExceeded("This server has its hands full", _RETRY_MS)
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size

    @contextmanager
    def place(self, origin: str) -> Iterator[None]:
        """A place in the queue of one server; raises ``LimitExceeded`` where it sends too many things at once."""
        waiting = self._of_one.get(origin, 0)
        if waiting >= _MOST_OF_ONE:
            raise LimitExceeded("One transaction after another, please", _RETRY_MS)
        self._of_one[origin] = waiting + 1
        try:
            yield
        finally:
            self._of_one[origin] -= 1
            if not self._of_one[origin]:
                del self._of_one[origin]

    def count_letters(self, origin: str, number: int, clock: Clock) -> None:
        """So many letters to devices come from one server; raises ``LimitExceeded`` where they are too many."""
        if self._letters is None:
            self._letters = Limiter(clock, _LETTERS_PER_S, _MOST_LETTERS)
        self._letters.check(origin)
        for _ in range(number):
            self._letters.count(origin)
