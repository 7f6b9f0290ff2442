"""Whoever joins the successor of a room finds there what they had set about the room before (spec: "Room Upgrades").

Rooms that are upgraded at this node's own door have moved everything at once (upgrade_room.py). Others are upgraded by
clients event by event, or on another server: then it is the first join that shows.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from server.accounts.accounts import Accounts
from server.accounts.room_moves import follow_room_move
from server.foundation.ids import server_name_of
from server.foundation.tasks import Tasks
from server.rooms.alias_store import aliases_of_room, move_aliases
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.room_directory import RoomDirectory
from server.rooms.rooms import Rooms
from server.rooms.successor_store import moves_left, put_move, remove_move
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

_CREATE: Final = ("m.room.create", "")
_TOMBSTONE: Final = "m.room.tombstone"


class Successors:
    """Moves names, the place in the public list, and what members have set, after somebody's first join."""

    def __init__(
        self, database: Database, rooms: Rooms, directory: RoomDirectory, accounts: Accounts, tasks: Tasks
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._directory = directory
        self._accounts = accounts
        self._tasks = tasks

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A projection of ``m.room.member``."""
        event, create = entry.event, _create_event(room, entry)
        old_id, user_id = predecessor_named_in(create), event.state_key or ""
        if old_id is None or create is None or event.content.get("membership") != "join":
            return
        if user_id == create.sender:
            return  # who made the room knows, and it may not be named by the old one yet
        before = entry.replaced.content.get("membership") if entry.replaced is not None else None
        if before not in ("join", "leave", "ban") and server_name_of(user_id) == room.server_name:
            put_move(writes, old_id, room.room_id, user_id)
            work = partial(self._move, old_id, room.room_id, user_id)
            writes.after_commit.append(lambda: self._tasks.start("successor of a room", work()))

    async def resume(self) -> None:
        """Do what a stop of the node has left undone."""
        for old_id, new_id, user_id in await moves_left(self._database):
            self._tasks.start("successor of a room", self._move(old_id, new_id, user_id))

    async def _move(self, old_id: str, new_id: str, user_id: str) -> None:
        await self._follow(old_id, new_id, user_id)
        writes = Writes()
        remove_move(writes, new_id, user_id)
        await self._database.submit(writes)

    async def _follow(self, old_id: str, new_id: str, user_id: str) -> None:
        """Only where the old room itself names the new one: anybody could claim to be its successor."""
        old = await self._rooms.find(old_id)
        if old is None or old.content(_TOMBSTONE).get("replacement_room") != new_id:
            return
        if old.membership(user_id) == "join":
            await follow_room_move(self._accounts, user_id, old_id, new_id)
        await self._move_names(old_id, new_id)

    async def _move_names(self, old_id: str, new_id: str) -> None:
        if await aliases_of_room(self._database, old_id):
            writes = Writes()
            move_aliases(writes, old_id, new_id)
            await self._database.submit(writes)
        await self._directory.move_place(old_id, new_id)


def _create_event(room: LiveRoom, entry: Entry) -> Event | None:
    """The room's first event; of a room of another server that we just come into, it comes with our join."""
    _, arrived = (entry.moved or {}).get(_CREATE, (None, None))
    return arrived or room.state.get(_CREATE)


def predecessor_named_in(create: Event | None) -> str | None:
    """The room that another one goes on from, as its first event says."""
    named = create.content.get("predecessor") if create is not None else None
    room_id = named.get("room_id") if isinstance(named, dict) else None
    return room_id if isinstance(room_id, str) else None
