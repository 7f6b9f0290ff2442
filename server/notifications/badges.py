"""The number that an app shows on its icon: unread messages in all rooms of a user, and open invitations."""

from __future__ import annotations

from typing import Final

from server.notifications.notice_store import count_unread
from server.notifications.push_bell import PushParts
from server.rooms.membership_store import Membership, memberships_of

_MOST_KNOWN: Final = 100_000


class Badges:
    """Counts for users with pushers. Rooms that are not in memory are counted without loading them."""

    def __init__(self, parts: PushParts) -> None:
        self._parts = parts
        # (user, room): the last position that concerned the room when it was counted, and the number.
        self._known: dict[tuple[str, str], tuple[int, int]] = {}

    async def of(self, user_id: str) -> int:
        """What the user has not read."""
        ignored = self._parts.account_data.ignored_by(user_id)
        total = 0
        for place in await memberships_of(self._parts.database, user_id):
            if place.membership == "join":
                total += await self._in_room(user_id, place)
            elif place.membership == "invite" and place.sender not in ignored:
                total += 1
        return total

    async def _in_room(self, user_id: str, place: Membership) -> int:
        key, position = (user_id, place.room_id), self._parts.last_of_room(place.room_id)
        known = self._known.get(key)
        if known is not None and known[0] == position:
            return known[1]
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        number = await self._count(user_id, place)
        self._known[key] = position, number
        return number

    async def _count(self, user_id: str, place: Membership) -> int:
        room = self._parts.rooms.live(place.room_id)
        if room is None:
            return await count_unread(self._parts.database, place.room_id, user_id, place.stream)
        return (await self._parts.unread.of(room, user_id, place.stream)).notify
