"""The rooms that are in use: loaded when somebody needs them, dropped when nobody does."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.rooms.event_store import newest_entries
from server.rooms.live_room import LiveRoom
from server.rooms.relations import bundle_all, rooms_with_children
from server.rooms.state_store import highest_room_number, load_rooms
from server.storage.database import Database
from server.storage.streams import StreamPositions

KEPT_ROOMS: Final = 2_500
_LOADED_ENTRIES: Final = 60
_LOADED_TOGETHER: Final = 50


class Rooms:
    """Registry of live rooms. There is one ``LiveRoom`` a room, so that its lock and its tip are the only ones."""

    def __init__(self, database: Database, positions: StreamPositions, clock: Clock, server_name: str) -> None:
        self._database = database
        self._positions = positions
        self._clock = clock
        self.server_name = server_name
        self._live: OrderedDict[str, LiveRoom] = OrderedDict()
        self._last_number = 0
        # Rooms that somebody asked for since the last round of ``forget_unused``.
        self._used: set[str] = set()
        # Loads on their way, and rooms that were dropped while commits of theirs were.
        self._loading: dict[str, asyncio.Future[None]] = {}
        self._leaving: dict[str, tuple[LiveRoom, asyncio.Future[None]]] = {}

    async def open(self) -> None:
        """Learn which room numbers are taken."""
        self._last_number = await highest_room_number(self._database)

    def live(self, room_id: str) -> LiveRoom | None:
        """The room, if it is in memory."""
        return self._live.get(room_id)

    async def get(self, room_id: str) -> LiveRoom:
        """The room; raises ``NotFound`` where this node has none of that id."""
        while True:
            room = self._live.get(room_id)
            if room is not None:
                self._live.move_to_end(room_id)
                self._used.add(room_id)
                return room
            loading = self._loading.get(room_id)
            if loading is not None:
                await asyncio.shield(loading)
                continue
            await self._load([room_id])
            if room_id not in self._live:
                raise NotFound("This room is not known here")

    @asynccontextmanager
    async def hold(self, room: LiveRoom) -> AsyncIterator[LiveRoom]:
        """The room under its lock: ``room``, or what was loaded in its place while we waited."""
        while True:
            async with room.lock:
                if not room.broken:
                    yield room
                    return
            room = await self.get(room.room_id)

    async def find(self, room_id: str) -> LiveRoom | None:
        """The room, or ``None``."""
        try:
            return await self.get(room_id)
        except NotFound:
            return None

    def in_use(self) -> Iterable[LiveRoom]:
        """All rooms in memory."""
        return self._live.values()

    def enter(self, room: LiveRoom) -> None:
        """A room that was just created."""
        self._live[room.room_id] = room
        self._make_place()

    def new_number(self) -> int:
        """A number for a new room."""
        self._last_number += 1
        return self._last_number

    def drop(self, room: LiveRoom) -> None:
        """Forget what is in memory; the next use loads the room again."""
        room.broken = True
        if self._live.get(room.room_id) is room:
            del self._live[room.room_id]
            if room.pending:
                self._leaving[room.room_id] = (room, asyncio.get_running_loop().create_future())

    def forget_unused(self) -> None:
        """Drop the rooms that nobody asked for since this was last called."""
        for room in [room for room_id, room in self._live.items() if room_id not in self._used]:
            if not room.pending and not room.lock.locked():
                self.drop(room)
        self._used.clear()

    def release(self, room: LiveRoom) -> None:
        """A commit of ``room`` is over; after the last one, whoever waits to load the room anew may go on."""
        room.pending -= 1
        if room.pending or not room.broken:
            return
        leaving = self._leaving.get(room.room_id)
        if leaving is not None and leaving[0] is room:
            del self._leaving[room.room_id]
            leaving[1].set_result(None)

    async def get_many(self, room_ids: Iterable[str]) -> dict[str, LiveRoom]:
        """Many rooms, those that are not in memory loaded together; raises ``NotFound`` like ``get``."""
        wanted = list(dict.fromkeys(room_ids))
        for start in range(0, len(wanted), _LOADED_TOGETHER):
            # Looked at anew each time: while we waited, others may have begun to load the same rooms.
            missing = [
                room_id for room_id in wanted[start:start + _LOADED_TOGETHER]
                if room_id not in self._live and room_id not in self._loading
            ]
            if missing:
                await self._load(missing)
        return {room_id: await self.get(room_id) for room_id in wanted}

    async def _load(self, room_ids: Sequence[str]) -> None:
        """One load a room at a time, and none before the last commit: two tips of one room would be a fork."""
        loads = {room_id: asyncio.get_running_loop().create_future() for room_id in room_ids}
        self._loading |= loads
        try:
            for room_id in room_ids:
                if room_id in self._leaving:
                    await asyncio.shield(self._leaving[room_id][1])
            for room in await self._read(room_ids):
                self.enter(room)
        finally:
            for room_id, done in loads.items():
                del self._loading[room_id]
                done.set_result(None)

    async def _read(self, room_ids: Sequence[str]) -> list[LiveRoom]:
        rooms = await load_rooms(self._database, room_ids, self.server_name)
        newest = await newest_entries(self._database, rooms, _LOADED_ENTRIES) if rooms else {}
        for room in await rooms_with_children(self._database, [(room, newest[room.nid]) for room in rooms]):
            await bundle_all(self._database, room, newest[room.nid])
        for room in rooms:
            entries = newest[room.nid]
            room.timeline.extend(entries)
            if len(entries) == _LOADED_ENTRIES:
                room.complete_after = entries[0].stream - 1
            # What a resolution has moved stands on the disk as states only: memory begins after the last one.
            mixed = (entry.stream for entry in entries if entry.room_snapshot is not None)
            room.complete_after = max(mixed, default=room.complete_after)
        return rooms

    def _make_place(self) -> None:
        if len(self._live) <= KEPT_ROOMS:
            return
        for room in list(self._live.values())[: KEPT_ROOMS // 10]:
            if not room.pending and not room.lock.locked():
                self.drop(room)  # whoever holds it still must not go on with it
