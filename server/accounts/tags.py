"""Tags of rooms (spec, "Room Tagging"): account data of type ``m.tag``, changed one tag at a time."""

from __future__ import annotations

from typing import Any, Final

from server.accounts.account_data import AccountData
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.keyed_locks import KeyedLocks

TAGS: Final = "m.tag"
MAX_TAG_BYTES: Final = 255

TagsOfRoom = dict[str, dict[str, Any]]


class Tags:
    """Everybody's tags."""

    def __init__(self, account_data: AccountData) -> None:
        self._account_data = account_data
        self._changing = KeyedLocks()

    async def of_room(self, user_id: str, room_id: str) -> TagsOfRoom:
        """A user's tags of a room."""
        try:
            content = await self._account_data.get(user_id, room_id, TAGS)
        except NotFound:
            return {}
        tags = content.get("tags")
        return tags if isinstance(tags, dict) else {}

    async def put(self, user_id: str, room_id: str, tag: str, info: dict[str, Any]) -> None:
        """Set a tag; ``info`` may hold its ``order``, from 0 to 1."""
        if len(tag.encode()) > MAX_TAG_BYTES:
            raise InvalidParam("A tag has at most 255 bytes")
        order = info.get("order")
        if order is not None and (isinstance(order, bool) or not isinstance(order, int | float)):
            raise InvalidParam("order is a number")
        async with self._changing.hold((user_id, room_id)):
            tags = await self.of_room(user_id, room_id)
            await self._account_data.set(user_id, room_id, TAGS, {"tags": {**tags, tag: info}})

    async def remove(self, user_id: str, room_id: str, tag: str) -> None:
        """Remove a tag; one that is not there is gone already."""
        async with self._changing.hold((user_id, room_id)):
            tags = await self.of_room(user_id, room_id)
            if tag in tags:
                rest = {name: info for name, info in tags.items() if name != tag}
                await self._account_data.set(user_id, room_id, TAGS, {"tags": rest})
