"""End-to-end keys of devices (spec, "End-to-End Encryption": key management API).

The node keeps public keys only. One-time keys are issued in the order in which they came (MSC4225), each once; when
none is left, the fallback key is, and then counts as used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.accounts.device_keys_store import (
    DeviceKey,
    Json,
    PublicKey,
    add_one_time_keys,
    drop_keys,
    one_time_key_counts,
    read_device_keys,
    read_fallback_keys,
    read_one_time_keys,
    set_device_keys,
    set_fallback_keys,
    take_one_time_key,
    unused_fallback_keys,
    use_fallback_key,
)
from server.accounts.device_lists import DeviceLists
from server.accounts.key_formats import require_device_keys, without_signatures
from server.accounts.sessions_store import device_exists
from server.foundation.errors import InvalidParam, UnknownToken
from server.storage.database import Database, Transaction, Writes

MAX_ONE_TIME_KEYS: Final = 2_000


@dataclass(frozen=True, slots=True)
class KeyUpload:
    """What a device publishes."""

    device_keys: Json | None
    one_time_keys: Sequence[PublicKey]
    fallback_keys: Sequence[PublicKey]


class DeviceKeys:
    """Everybody's device keys. How many one-time keys are left is known without SQL."""

    def __init__(self, database: Database, device_lists: DeviceLists) -> None:
        self._database = database
        self._device_lists = device_lists
        self._counts: dict[DeviceKey, dict[str, int]] = {}
        self._unused: dict[DeviceKey, list[str]] = {}

    async def open(self) -> None:
        """Learn what each device has left."""
        self._counts = await one_time_key_counts(self._database)
        self._unused = await unused_fallback_keys(self._database)

    def counts(self, user_id: str, device_id: str) -> dict[str, int]:
        """One-time keys left by algorithm. Not to be changed."""
        return self._counts.get((user_id, device_id), {})

    def unused_fallbacks(self, user_id: str, device_id: str) -> list[str]:
        """Algorithms with an unused fallback key. Not to be changed."""
        return self._unused.get((user_id, device_id), [])

    async def upload(self, user_id: str, device_id: str, upload: KeyUpload) -> None:
        """Publish keys, all or none; raises ``Refused`` for malformed ones, and for a key id that is taken.

        ``UnknownToken`` where the device was removed meanwhile: its keys would be there for ever.
        """
        if upload.device_keys is not None:
            require_device_keys(upload.device_keys, user_id, device_id)
        async with self._database.write() as tx:
            if not await device_exists(tx, user_id, device_id):
                raise UnknownToken("This device has been removed")
            if upload.device_keys is not None:
                await self._set_device_keys(tx, user_id, device_id, upload.device_keys)
            if upload.one_time_keys:
                await self._add_one_time_keys(tx, user_id, device_id, upload.one_time_keys)
            if upload.fallback_keys:
                await self._set_fallback_keys(tx, user_id, device_id, upload.fallback_keys)

    async def claim(self, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, dict[str, Any]]]:
        """One key of each ``wanted[user][device]`` algorithm, as far as there are any."""
        claimed: dict[str, dict[str, dict[str, Any]]] = {}
        async with self._database.write() as tx:
            for user_id, devices in wanted.items():
                for device_id, algorithm in devices.items():
                    key = await self._claim_one(tx, user_id, device_id, algorithm)
                    if key is not None:
                        claimed.setdefault(user_id, {})[device_id] = {key.name: key.value}
        return claimed

    def drop(self, user_id: str, device_id: str, writes: Writes) -> None:
        """Forget a device's keys, with the rows of ``writes``."""
        drop_keys(writes, user_id, device_id)
        writes.after_commit.append(lambda: self._forget((user_id, device_id)))

    async def _set_device_keys(self, tx: Transaction, user_id: str, device_id: str, keys: Json) -> None:
        old = await read_device_keys(tx, user_id, device_id)
        if old == keys:
            return
        await set_device_keys(tx, user_id, device_id, keys)
        await self._device_lists.enter_now(tx, [user_id])

    async def _add_one_time_keys(
        self, tx: Transaction, user_id: str, device_id: str, keys: Sequence[PublicKey]
    ) -> None:
        known, highest = await read_one_time_keys(tx, user_id, device_id)
        fresh = [key for key in keys if not _is_known(key, known)]
        if len(known) + len(fresh) > MAX_ONE_TIME_KEYS:
            raise InvalidParam(f"A device has at most {MAX_ONE_TIME_KEYS} one-time keys")
        if fresh:
            await add_one_time_keys(tx, user_id, device_id, fresh, highest + 1)
        counts: dict[str, int] = {}
        for name in (*known, *(key.name for key in fresh)):
            algorithm = name.partition(":")[0]
            counts[algorithm] = counts.get(algorithm, 0) + 1
        tx.after_commit.append(lambda: self._counts.__setitem__((user_id, device_id), counts))

    async def _set_fallback_keys(
        self, tx: Transaction, user_id: str, device_id: str, keys: Sequence[PublicKey]
    ) -> None:
        known = await read_fallback_keys(tx, user_id, device_id)
        fresh = [key for key in keys if known.get(key.algorithm) != key]
        if fresh:
            await set_fallback_keys(tx, user_id, device_id, fresh)
        unused = {*self.unused_fallbacks(user_id, device_id), *(key.algorithm for key in fresh)}
        tx.after_commit.append(lambda: self._unused.__setitem__((user_id, device_id), sorted(unused)))

    async def _claim_one(
        self, tx: Transaction, user_id: str, device_id: str, algorithm: str
    ) -> PublicKey | None:
        key = await take_one_time_key(tx, user_id, device_id, algorithm)
        if key is not None:
            tx.after_commit.append(lambda: self._count_down((user_id, device_id), algorithm))
            return key
        key = await use_fallback_key(tx, user_id, device_id, algorithm)
        if key is not None:
            tx.after_commit.append(lambda: self._mark_used((user_id, device_id), algorithm))
        return key

    def _count_down(self, device: DeviceKey, algorithm: str) -> None:
        counts = self._counts.get(device, {})
        self._counts[device] = {**counts, algorithm: max(0, counts.get(algorithm, 0) - 1)}

    def _mark_used(self, device: DeviceKey, algorithm: str) -> None:
        self._unused[device] = [name for name in self._unused.get(device, ()) if name != algorithm]

    def _forget(self, device: DeviceKey) -> None:
        self._counts.pop(device, None)
        self._unused.pop(device, None)


def _is_known(key: PublicKey, known: Mapping[str, Any]) -> bool:
    """Whether the same key is there already; raises ``InvalidParam`` where another one has its id."""
    if key.name not in known:
        return False
    if without_signatures(known[key.name]) != without_signatures(key.value):
        raise InvalidParam(f"There is another one-time key {key.name} already")
    return True
