"""Files that wait for a yes: read on trial, and taken in when the officer has seen the report. In memory only."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.ids import random_token

_KEPT: Final = 4
_FOR_S: Final = 1800


class PendingFiles:
    """At most four files, each for half an hour and for the one who brought it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: OrderedDict[str, tuple[str, float, bytes]] = OrderedDict()

    def keep(self, user_id: str, data: bytes) -> str:
        """Keep a file; answers its number."""
        now = self._clock.monotonic()
        for number in [number for number, (_, until, _) in self._files.items() if until < now]:
            del self._files[number]
        number = random_token()
        self._files[number] = (user_id, now + _FOR_S, data)
        while len(self._files) > _KEPT:
            self._files.popitem(last=False)
        return number

    def take(self, user_id: str, number: str) -> bytes:
        """The file, once; raises ``Refused`` where it is gone."""
        owner, until, data = self._files.get(number, ("", 0.0, b""))
        if owner != user_id or until < self._clock.monotonic():
            raise Refused("時間が たちました。ファイルを もう一度 えらんでください。", status=409)
        del self._files[number]
        return data
