"""What a user's own account contributes to ``/sync``: account data, messages to devices, keys."""

from __future__ import annotations

from typing import Any

import orjson

from server.accounts.accounts import Accounts

Json = dict[str, Any]


class OwnData:
    """Reads accounts for ``/sync``. A user without news costs no SQL."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def account_data_since(
        self, user_id: str, since: int, until: int
    ) -> tuple[list[Json], dict[str, list[Json]]]:
        """Account data of no room, and by room, changed with ``since < position <= until``."""
        own: list[Json] = []
        by_room: dict[str, list[Json]] = {}
        for item in await self._accounts.account_data.between(user_id, since, until):
            shown = {"type": item.type, "content": orjson.Fragment(item.content)}
            (by_room.setdefault(item.room_id, []) if item.room_id else own).append(shown)
        return own, by_room

    def ignored_by(self, user_id: str) -> frozenset[str]:
        """Whom the user does not want to hear."""
        return self._accounts.account_data.ignored_by(user_id)

    async def to_device_for(
        self, user_id: str, device_id: str, since: int, until: int, limit: int
    ) -> tuple[list[Json], int]:
        """Messages to a device, and the position up to which they were given."""
        return [], until

    async def acknowledge_to_device(self, user_id: str, device_id: str, until: int) -> None:
        """The device has what was sent up to ``until``."""

    async def device_changes_since(self, since: int, until: int) -> list[str]:
        """Users whose devices or keys have changed."""
        return []

    async def key_counts(self, user_id: str, device_id: str) -> tuple[dict[str, int], list[str]]:
        """One-time keys left by algorithm, and unused fallback key types."""
        return {}, []
