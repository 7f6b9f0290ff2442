"""What a service that encrypts for its ghosts must hear of (MSC3202, MSC4203): messages to their devices, changes of
others' devices, how many of their one-time keys are left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from server.accounts.accounts import Accounts
from server.accounts.sessions_store import devices_of
from server.application_services.interest import Interest
from server.application_services.news_store import DeviceMessage
from server.application_services.service import Service
from server.storage.database import Database

Json = dict[str, Any]
# None left is worth telling.
_ALWAYS_TOLD: Final = "signed_curve25519"


class Encryption:
    """Gathers it for one service."""

    def __init__(self, service: Service, interest: Interest, database: Database, accounts: Accounts) -> None:
        self._service = service
        self._interest = interest
        self._database = database
        self._accounts = accounts

    def messages(self, found: Sequence[DeviceMessage]) -> list[Json]:
        """Messages to devices, with whom they are for."""
        return [
            {
                "type": message.type, "sender": message.sender, "content": orjson.Fragment(message.content),
                "to_user_id": message.user_id, "to_device_id": message.device_id,
            }
            for message in found
        ]

    def acknowledge(self, devices: Iterable[tuple[str, str]], until: int) -> None:
        """The service has the messages to these devices up to a position."""
        for user_id, device_id in devices:
            self._accounts.to_device.acknowledge(user_id, device_id, until)

    async def changed_devices(self, after: int, until: int) -> list[str]:
        """Users whose devices have changed and who share a room with one of the service's."""
        changed = await self._accounts.device_changes_since(after, until)
        return [user_id for user_id in changed if await self._interest.wants_person(user_id)]

    async def key_counts(self, users: Iterable[str]) -> tuple[Json, Json]:
        """Of these users' devices: one-time keys left by algorithm, and algorithms with an unused fallback key."""
        counts: Json = {}
        fallbacks: Json = {}
        own = sorted(user_id for user_id in set(users) if self._service.owns_user(user_id))
        for device in await devices_of(self._database, own):
            left, unused = await self._accounts.key_counts(device.user_id, device.device_id)
            counts.setdefault(device.user_id, {})[device.device_id] = {_ALWAYS_TOLD: 0, **left}
            fallbacks.setdefault(device.user_id, {})[device.device_id] = unused
        return counts, fallbacks
