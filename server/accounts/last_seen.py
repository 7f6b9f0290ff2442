"""When and from where devices were last here: kept in memory, written in a batch every few minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from server.accounts.sessions_store import Caller, Device, note_seen
from server.foundation.clock import Clock
from server.storage.database import Database, Writes

_EVERY_S: Final = 60.0
_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device was here at ``ts`` (ms)."""

    ts: int
    address: str


class LastSeen:
    """Notes a device at most once a minute, so that a request costs a look into a dict."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._again_at: dict[tuple[str, str], float] = {}
        self._unwritten: dict[tuple[str, str], Sighting] = {}

    def is_due(self, known: Caller) -> bool:
        """Whether ``note`` would say something new."""
        return self._again_at.get((known.user_id, known.device_id), 0.0) <= self._clock.monotonic()

    def note(self, known: Caller, address: str) -> None:
        """A device is here."""
        if len(self._again_at) >= _KEPT:
            self._again_at.clear()
        key = (known.user_id, known.device_id)
        self._again_at[key] = self._clock.monotonic() + _EVERY_S
        self._unwritten[key] = Sighting(self._clock.now_ms(), address)

    def brought_up_to_date(self, devices: Iterable[Device]) -> list[Device]:
        """Devices as they were read, with what is not written yet."""
        fresh = self._unwritten
        return [
            replace(device, last_seen_ts=seen.ts, last_seen_ip=seen.address)
            if (seen := fresh.get((device.user_id, device.device_id))) else device
            for device in devices
        ]

    async def write(self) -> None:
        """Write what is new. To be called every few minutes, and when the node stops."""
        fresh, self._unwritten = self._unwritten, {}
        if not fresh:
            return
        writes = Writes()
        for (user_id, device_id), seen in fresh.items():
            note_seen(writes, user_id, device_id, seen.ts, seen.address)
        await asyncio.shield(self._database.submit(writes))

    def drop(self, user_id: str, device_id: str, writes: Writes) -> None:
        """Forget a device, with the rows of ``writes``."""
        writes.after_commit.append(lambda: self._forget((user_id, device_id)))

    def _forget(self, device: tuple[str, str]) -> None:
        self._again_at.pop(device, None)
        self._unwritten.pop(device, None)
