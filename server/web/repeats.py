"""A button that was pressed twice does its work once: every form that begins something carries a number of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from server.foundation.ids import random_token

_KEPT: Final = 2_000


class Repeats:
    """Which forms have been sent lately."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, None] = OrderedDict()

    def new(self) -> str:
        """A number for one form."""
        return random_token()

    @contextmanager
    def once(self, number: str) -> Iterator[bool]:
        """Whether this form comes for the first time; what fails may be sent again. Without a number: always new."""
        if number in self._sent:
            yield False
            return
        if number:
            self._sent[number] = None
        if len(self._sent) > _KEPT:
            self._sent.popitem(last=False)
        try:
            yield True
        except BaseException:
            self._sent.pop(number, None)
            raise
