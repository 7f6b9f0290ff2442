"""Transaction ids: a client that asks again gets the first answer (spec: "Transaction identifiers").

What was sent since the start is kept in memory. What was sent before it is only in the table, whose primary key
refuses the second event of a transaction; ``EventSender`` then looks up the first. So a message costs no look-up,
and a client that asks again after a power cut is still recognised.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from server.rooms.accept_event import TxnKey
from server.rooms.event_store import find_transaction
from server.storage.database import Database

_KEPT: Final = 20_000


class Transactions:
    """Which transaction id has led to which event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[TxnKey, str] = OrderedDict()
        self._in_flight: dict[TxnKey, asyncio.Future[str | None]] = {}

    async def find(self, key: TxnKey) -> str | None:
        """The event of ``key``, waiting for it where it is just being sent; ``None`` if memory knows none."""
        flying = self._in_flight.get(key)
        if flying is not None:
            found = await asyncio.shield(flying)
            if found is not None:
                return found
        return self._known.get(key)

    async def find_stored(self, key: TxnKey) -> str | None:
        """The event of ``key`` in the table."""
        return await find_transaction(self._database, key)

    def begin(self, key: TxnKey) -> None:
        """Announce that ``key`` is being sent; ``end`` must follow."""
        self._in_flight[key] = asyncio.get_running_loop().create_future()

    def end(self, key: TxnKey, event_id: str | None) -> None:
        """``key`` has led to ``event_id``, or to nothing."""
        future = self._in_flight.pop(key, None)
        if event_id is not None:
            self._known[key] = event_id
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        if future is not None and not future.done():
            future.set_result(event_id)
