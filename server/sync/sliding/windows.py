"""Bringing the rooms of a new window into memory together, with what an answer will ask of each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from server.foundation.errors import NotFound
from server.sync.request import World


class Windows:
    """Loads rooms for answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def load(self, room_ids: Sequence[str]) -> None:
        """Load those of these rooms that are not in memory. Rooms that this node does not have are passed over."""
        rooms = self._world.rooms
        absent = [room_id for room_id in room_ids if rooms.live(room_id) is None]
        if len(absent) < 2:
            return
        with suppress(NotFound):
            await rooms.get_many(absent)
        loaded = [room for room_id in absent if (room := rooms.live(room_id)) is not None]
        await self._world.sights.learn(loaded)
        await self._world.receipts.learn([room.room_id for room in loaded])
