"""Transaction ids: a client that asks again gets the first answer (spec: "Transaction identifiers").

What a device has sent is read from the database once, at its first request after a start, and kept in memory from
then on; so a message costs no look-up, and a client that asks again after a power cut is still recognised.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from server.rooms.accept_event import TxnKey
from server.rooms.event_store import transactions_of_device
from server.storage.database import Database

_KEPT_DEVICES: Final = 4_000
_KEPT_PER_DEVICE: Final = 500

Known = OrderedDict[tuple[str, str], str]


class Transactions:
    """Which transaction id has led to which event."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._devices: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self._in_flight: dict[TxnKey, asyncio.Future[str | None]] = {}

    async def find(self, key: TxnKey) -> str | None:
        """The event of ``key``, waiting for it where it is just being sent; otherwise ``None``."""
        flying = self._in_flight.get(key)
        if flying is not None:
            found = await asyncio.shield(flying)
            if found is not None:
                return found
        device = self._devices.get(key[:2])
        if device is None:
            device = await self._load(key[0], key[1])
        return device.get(key[2:])

    def begin(self, key: TxnKey) -> None:
        """Announce that ``key`` is being sent; ``end`` must follow."""
        self._in_flight[key] = asyncio.get_running_loop().create_future()

    def end(self, key: TxnKey, event_id: str | None) -> None:
        """``key`` has led to ``event_id``, or to nothing."""
        future = self._in_flight.pop(key, None)
        if event_id is not None:
            known = self._devices.setdefault((key[0], key[1]), OrderedDict())
            known[(key[2], key[3])] = event_id
            if len(known) > _KEPT_PER_DEVICE:
                known.popitem(last=False)
        if future is not None and not future.done():
            future.set_result(event_id)

    async def _load(self, user_id: str, device_id: str) -> Known:
        rows = await transactions_of_device(self._database, user_id, device_id, _KEPT_PER_DEVICE)
        known = self._devices.setdefault((user_id, device_id), OrderedDict())
        for scope, txn_id, event_id in rows:
            known.setdefault((scope, txn_id), event_id)
        if len(self._devices) > _KEPT_DEVICES:
            self._devices.popitem(last=False)
        return known
