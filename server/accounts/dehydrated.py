"""Dehydrated devices (MSC3814): a device that a user's clients leave with the node, so that room keys can be sent to it
while nobody is logged in; the next client takes it up and reads what has arrived.
"""

from __future__ import annotations

import asyncio

from server.accounts.accounts import Accounts
from server.accounts.dehydrated_store import DehydratedDevice, drop_dehydrated, find_dehydrated, set_dehydrated
from server.accounts.device_keys import MAX_ONE_TIME_KEYS, KeyUpload
from server.accounts.key_formats import require_device_keys
from server.accounts.sessions import MAX_DEVICE_ID_BYTES
from server.accounts.to_device_store import ToDeviceMessage
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, MissingParam, NotFound
from server.storage.database import Database, Writes

MOST_MESSAGES = 100


class DehydratedDevices:
    """Everybody's dehydrated devices, at most one each."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts

    async def get(self, user_id: str) -> DehydratedDevice:
        """The one of a user; raises ``NotFound``."""
        found = await find_dehydrated(self._database, user_id)
        if found is None:
            raise NotFound("There is no dehydrated device")
        return found

    async def put(
        self, user_id: str, device: DehydratedDevice, display_name: str | None, keys: KeyUpload
    ) -> None:
        """Keep a device in the place of the one before; raises ``Refused`` for keys that are malformed or missing."""
        old = await self._require_good(user_id, device, keys)
        if old is not None:
            await self._accounts.sessions.drop(user_id, [old.device_id])
        writes = Writes()
        set_dehydrated(writes, user_id, device, display_name, self._clock.now_ms())
        await asyncio.shield(self._database.submit(writes))
        await self._accounts.device_keys.upload(user_id, device.device_id, keys)

    async def remove(self, user_id: str) -> str:
        """Forget the device with all that has arrived for it; answers its id. Raises ``NotFound``."""
        found = await self.get(user_id)
        writes = Writes()
        drop_dehydrated(writes, user_id)
        await asyncio.shield(self._database.submit(writes))
        await self._accounts.sessions.drop(user_id, [found.device_id])
        return found.device_id

    async def messages(self, user_id: str, device_id: str, after: int) -> list[ToDeviceMessage]:
        """What has arrived for the device after a position, at most ``MOST_MESSAGES``; raises ``NotFound``.

        It stays until the device is removed or replaced: a client that is interrupted begins again.
        """
        if (await self.get(user_id)).device_id != device_id:
            raise NotFound("This is not the dehydrated device")
        return await self._accounts.to_device.page(user_id, device_id, after, MOST_MESSAGES)

    async def _require_good(
        self, user_id: str, device: DehydratedDevice, keys: KeyUpload
    ) -> DehydratedDevice | None:
        """The device that is replaced; raises ``Refused`` before anything is."""
        if keys.device_keys is None:
            raise MissingParam("device_keys are missing")
        require_device_keys(keys.device_keys, user_id, device.device_id)
        if not device.device_id or len(device.device_id.encode()) > MAX_DEVICE_ID_BYTES:
            raise InvalidParam(f"A device id has 1 to {MAX_DEVICE_ID_BYTES} bytes")
        if len(keys.one_time_keys) > MAX_ONE_TIME_KEYS:
            raise InvalidParam(f"A device has at most {MAX_ONE_TIME_KEYS} one-time keys")
        old = await find_dehydrated(self._database, user_id)
        known = {item.device_id for item in await self._accounts.sessions.devices(user_id)}
        if device.device_id in known and (old is None or old.device_id != device.device_id):
            raise InvalidParam("There is another device of that id")
        return old
