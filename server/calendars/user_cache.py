"""What was read about a user, kept in memory until something of it changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class UserCache(Generic[Value]):
    """At most ``limit`` users, those asked for last. A value read while it changed is used once and not kept."""

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Value] = OrderedDict()
        self._changes = 0

    async def get(self, user_id: str, load: Callable[[], Awaitable[Value]]) -> Value:
        """The kept value, or what ``load`` reads."""
        if user_id in self._known:
            self._known.move_to_end(user_id)
            return self._known[user_id]
        before = self._changes
        value = await load()
        if before == self._changes:
            self._known[user_id] = value
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return value

    def change(self, user_id: str, change: Callable[[Value], Value]) -> None:
        """Something about the user has changed, and ``change`` does the same to what is kept of it."""
        self._changes += 1
        if user_id in self._known:
            self._known[user_id] = change(self._known[user_id])

    def forget(self, user_id: str) -> None:
        """Something about the user has changed."""
        self._changes += 1
        self._known.pop(user_id, None)
