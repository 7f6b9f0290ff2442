"""Setting up a telephone without typing: a link for the telephone's camera, and what its calendar app then reads.

Both are in memory only and for minutes: whoever photographs the screen later gets nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.ids import random_token

_FOR_S: Final = 900.0
_KEPT: Final = 500
_GONE: Final = "このリンクは もう 使えません。「カレンダーを スマホに 入れる」から やりなおしてください。"


@dataclass(frozen=True, slots=True)
class SetUp:
    """For whom and which device; ``secret`` is the app password, empty until there is one."""

    user_id: str
    label: str
    secret: str = ""


class SetUpLinks:
    """Set-ups by number, each for a quarter of an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, SetUp]] = OrderedDict()

    def keep(self, set_up: SetUp) -> str:
        """Remember one; answers its number, which cannot be guessed."""
        number = random_token()
        self._known[number] = (self._clock.monotonic() + _FOR_S, set_up)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return number

    def find(self, number: str, *, with_secret: bool) -> SetUp:
        """One that still holds; raises ``Refused``. A link and a ready password are not to be mixed up."""
        until, found = self._known.get(number, (0.0, None))
        if found is None or until < self._clock.monotonic() or bool(found.secret) is not with_secret:
            raise Refused(_GONE, status=409)
        return found

    def take(self, number: str) -> SetUp:
        """The same for a link that leads to a password: only once."""
        found = self.find(number, with_secret=False)
        del self._known[number]
        return found
