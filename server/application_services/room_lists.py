"""Lists of rooms that application services publish (spec, "Application service room directory management")."""

from __future__ import annotations

import asyncio

from server.application_services.room_lists_store import add_room, remove_room, rooms_of_all, rooms_of_network
from server.foundation.errors import InvalidParam
from server.rooms.rooms import Rooms
from server.storage.database import Database, Writes


class RoomLists:
    """One list for each network of each service."""

    def __init__(self, database: Database, rooms: Rooms) -> None:
        self._database = database
        self._rooms = rooms

    async def set(self, service_id: str, network_id: str, room_id: str, visibility: str) -> None:
        """Put a room into a list (``public``) or take it out; raises ``NotFound`` where there is no such room."""
        if visibility not in ("public", "private"):
            raise InvalidParam("visibility is public or private")
        await self._rooms.get(room_id)
        writes = Writes()
        change = add_room if visibility == "public" else remove_room
        change(writes, service_id, network_id, room_id)
        await asyncio.shield(self._database.submit(writes))

    async def room_ids(self, instance: str | None) -> list[str]:
        """The rooms of one list by its instance id, or those of all lists."""
        if instance is None:
            return await rooms_of_all(self._database)
        service_id, _, network_id = instance.partition("|")
        return await rooms_of_network(self._database, service_id, network_id)
