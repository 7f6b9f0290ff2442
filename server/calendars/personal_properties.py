"""What each user sets on a collection for themselves: colour, order, a name, and what only their app understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from server.calendars.property_store import forget_properties, properties_of, set_properties
from server.calendars.refusals import Condition, refuse
from server.calendars.user_cache import UserCache
from server.storage.database import Database, Transaction

MAX_PROPERTIES: Final = 60
MAX_VALUE_BYTES: Final = 8 * 1024
_NOTHING: Final[Mapping[str, str]] = {}


class PersonalProperties:
    """Reads from memory once a user has been seen; a write goes through it, so memory is never behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: UserCache[dict[str, dict[str, str]]] = UserCache()

    async def of(self, user_id: str, key: str) -> Mapping[str, str]:
        """Name to value on the collection ``key``."""
        known = await self._known.get(user_id, lambda: properties_of(self._database, user_id))
        return known.get(key, _NOTHING)

    async def change(self, tx: Transaction, user_id: str, key: str, changes: Mapping[str, str | None]) -> None:
        """Set and remove properties; refuses what would become a store for something else."""
        kept = {**await self.of(user_id, key), **changes}
        if sum(value is not None for value in kept.values()) > MAX_PROPERTIES:
            raise refuse(Condition.WITHIN_LIMITS, "There are too many properties on this calendar", status=507)
        if any(len(value.encode()) > MAX_VALUE_BYTES for value in changes.values() if value is not None):
            raise refuse(Condition.WITHIN_LIMITS, "A property is too long", status=507)
        await set_properties(tx, user_id, key, changes)
        tx.after_commit.append(lambda: self._known.forget(user_id))

    async def drop(self, tx: Transaction, user_id: str, key: str) -> None:
        """Forget everything about a collection that is removed."""
        await forget_properties(tx, user_id, key)
        tx.after_commit.append(lambda: self._known.forget(user_id))
