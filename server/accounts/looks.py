"""How people want to see the pages and to be told of news: language, size of letters, quiet hours, what rings."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from server.accounts.looks_store import Look, drop_look, find_look, set_look
from server.foundation.errors import InvalidParam
from server.storage.database import Database, Writes

__all__ = ["Look", "Looks"]

_KEPT: Final = 5_000
_MINUTES: Final = 24 * 60
_MOST_LETTERS: Final = 3
_MOST_MUTED: Final = 20


class Looks:
    """Read and change; what was asked for once costs no SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, Look] = OrderedDict()

    async def of(self, user_id: str) -> Look:
        """What somebody wants; what most want where they have said nothing."""
        look = self._known.get(user_id)
        if look is None:
            look = await find_look(self._database, user_id) or Look()
            self._remember(user_id, look)
        return look

    async def set(self, user_id: str, look: Look) -> None:
        """Keep it; raises ``InvalidParam``."""
        _require_sensible(look)
        writes = Writes()
        set_look(writes, user_id, look)
        writes.after_commit.append(lambda: self._remember(user_id, look))
        await asyncio.shield(self._database.submit(writes))

    async def forget(self, user_id: str) -> None:
        """Of somebody who has left."""
        writes = Writes()
        drop_look(writes, user_id)
        writes.after_commit.append(lambda: self._forget(user_id))
        await asyncio.shield(self._database.submit(writes))

    def _forget(self, user_id: str) -> None:
        self._known.pop(user_id, None)

    def _remember(self, user_id: str, look: Look) -> None:
        self._known[user_id] = look
        self._known.move_to_end(user_id)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)


def _require_sensible(look: Look) -> None:
    if not 1 <= look.letters <= _MOST_LETTERS:
        raise InvalidParam("文字の 大きさを えらんでください。")
    if not (0 <= look.quiet_from < _MINUTES and 0 <= look.quiet_to < _MINUTES) or len(look.muted) > _MOST_MUTED:
        raise InvalidParam("時刻を、もう一度えらんでください。")
