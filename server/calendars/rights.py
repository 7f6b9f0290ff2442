"""Rights to calendars of several kinds: each kind is asked about its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from server.calendars.ports import Rights


class RightsByPrefix:
    """A ``ports.Rights`` that asks whoever knows a calendar by the beginning of its key; nobody may use others."""

    def __init__(self, known: Mapping[str, Rights]) -> None:
        self._known = known

    async def may_read(self, user_id: str, collection: str) -> bool:
        """Whether somebody may see a calendar."""
        rights = self._of(collection)
        return rights is not None and await rights.may_read(user_id, collection)

    async def may_write(self, user_id: str, collection: str) -> bool:
        """Whether somebody may write into it."""
        rights = self._of(collection)
        return rights is not None and await rights.may_write(user_id, collection)

    def _of(self, collection: str) -> Rights | None:
        return next((rights for prefix, rights in self._known.items() if collection.startswith(prefix)), None)


class ReadOnly:
    """A ``ports.Rights`` of calendars that nobody writes; ``may_read`` decides about an account and a key."""

    def __init__(self, may_read: Callable[[str, str], bool]) -> None:
        self._may_read = may_read

    async def may_read(self, user_id: str, collection: str) -> bool:
        """As it is decided."""
        return self._may_read(user_id, collection)

    async def may_write(self, user_id: str, collection: str) -> bool:
        """Nobody."""
        return False
