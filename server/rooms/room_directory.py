"""The list of public rooms (spec: "Published room directory")."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.foundation.errors import Forbidden, InvalidParam
from server.rooms.live_room import LiveRoom
from server.rooms.room_summary import published
from server.rooms.rooms import Rooms
from server.rooms.search_words import normal
from server.rooms.state_store import list_room, listed_room_ids
from server.rooms.timeline import text_of
from server.storage.database import Database, Writes

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: words in name, topic or alias; types of rooms, where ``None`` is an ordinary room."""

    term: str = ""
    room_types: Sequence[str | None] | None = None

    def finds(self, summary: Json) -> bool:
        """Whether a room is looked for."""
        if self.room_types is not None and summary.get("room_type") not in self.room_types:
            return False
        text = normal("\n".join(str(summary.get(name, "")) for name in ("name", "topic", "canonical_alias")))
        return normal(self.term) in text


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """A page of the list; ``start`` is the place of its first room among ``total``."""

    rooms: Sequence[Json]
    start: int
    end: int
    total: int


class RoomDirectory:
    """Which rooms stand in the public list."""

    def __init__(self, database: Database, rooms: Rooms) -> None:
        self._database = database
        self._rooms = rooms

    async def page(
        self, search: Search, start: int, limit: int, *, backwards: bool = False, among: Sequence[str] | None = None
    ) -> DirectoryPage:
        """Rooms that are found, the largest first, ``limit`` on from (or, backwards, before) the place ``start``.

        ``among`` are the rooms of another list than that of the node.
        """
        found: list[Json] = []
        for room_id in await self.listed() if among is None else among:
            room = await self._rooms.find(room_id)
            if room is not None and _is_alive(room) and search.finds(summary := published(room)):
                found.append(summary)
        found.sort(key=lambda item: (-int(item["num_joined_members"]), str(item["room_id"])))
        first, last = (max(0, start - limit), start) if backwards else (start, start + limit)
        return DirectoryPage(found[first:last], first, min(last, len(found)), len(found))

    async def listed(self) -> list[str]:
        """Ids of the rooms in the list."""
        return await listed_room_ids(self._database)

    async def is_listed(self, room_id: str) -> bool:
        """Whether a room stands in the list; raises ``NotFound``."""
        return (await self._rooms.get(room_id)).listed

    async def set_listed(self, room_id: str, user_id: str, visibility: str) -> None:
        """Put a room into the list (``public``) or take it out; for those who may set the room's main alias."""
        if visibility not in ("public", "private"):
            raise InvalidParam("visibility is public or private")
        found = await self._rooms.get(room_id)
        async with self._rooms.hold(found) as room:
            require_manager(room, user_id)
            commit = self._list(room, listed=visibility == "public")
        await asyncio.shield(commit)

    async def move_place(self, old_id: str, new_id: str) -> None:
        """A room that stands in the list makes place for its successor."""
        old, new = await self._rooms.find(old_id), await self._rooms.find(new_id)
        if old is None or new is None or not old.listed:
            return
        for found, listed in ((old, False), (new, True)):
            async with self._rooms.hold(found) as room:
                commit = self._list(room, listed=listed)
            await asyncio.shield(commit)

    def _list(self, room: LiveRoom, *, listed: bool) -> asyncio.Future[None]:
        """Under the room's lock."""
        writes = Writes()
        before, room.listed = room.listed, listed
        room.pending += 1
        writes.after_commit.append(lambda: self._rooms.release(room))
        writes.on_failure += [lambda: setattr(room, "listed", before), lambda: self._rooms.release(room)]
        list_room(writes, room)
        return self._database.submit(writes)


def _is_alive(room: LiveRoom) -> bool:
    """Whether somebody is in a room, and it has no successor."""
    return bool(room.joined) and not text_of(room.content("m.room.tombstone"), "replacement_room")


def may_manage(room: LiveRoom, user_id: str) -> bool:
    """Whether a member may decide under which names a room is found."""
    levels = room.levels()
    needed = levels.needed_for("m.room.canonical_alias", is_state=True)
    return room.membership(user_id) == "join" and levels.of_user(user_id) >= needed


def require_manager(room: LiveRoom, user_id: str) -> None:
    """Raise ``Forbidden`` unless ``may_manage``."""
    if not may_manage(room, user_id):
        raise Forbidden("You may not decide under which names this room is found")
