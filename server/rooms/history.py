"""Reading a room: pages of its past, one event, its surroundings, its state, its members.

Every verb here checks that the reader may see what is answered (``access_*``: the only way to get it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.foundation.errors import Forbidden, NotFound
from server.rooms.event import Event, StateKey
from server.rooms.event_store import entries_between, entry_of, related_ids, related_page
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import is_forgotten
from server.rooms.past_state_store import snapshot_at, state_at
from server.rooms.ports import FarRooms
from server.rooms.relations import bundle_all
from server.rooms.rooms import Rooms
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.rooms.visibility import History as Memberships
from server.rooms.visibility import Sight, Sights
from server.storage.database import Database
from server.storage.streams import StreamPositions

Wanted = Callable[[Event], bool]

# Before all positions, also those of a past that other servers told us (see ``backfill``).
BEGINNING: Final = -(2**62)
_MOST_STEPS = 20
_MOST_FETCHES: Final = 3
# How far "recurse" follows relations of relations (MSC3981).
RECURSION: Final = 3
_MOST_TARGETS: Final = 500


@dataclass(frozen=True, slots=True)
class Page:
    """A page of events; ``start`` and ``end`` are positions, ``end`` is ``None`` where nothing more comes."""

    entries: Sequence[Entry]
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An event with what came before and after it, and the state there."""

    before: Page
    entry: Entry
    after: Page
    state: dict[StateKey, Event]


class History:
    """Reads rooms on behalf of users."""

    def __init__(
        self, database: Database, rooms: Rooms, sights: Sights, positions: StreamPositions, far: FarRooms
    ) -> None:
        self._database = database
        self._rooms = rooms
        self.sights = sights
        self._positions = positions
        self.far = far

    @property
    def newest(self) -> int:
        """The position up to which everything is committed."""
        return self._positions.current

    async def access(self, room_id: str, user_id: str) -> tuple[LiveRoom, Sight]:
        """The room and what the user may see of it; raises ``Forbidden`` for somebody who may see nothing."""
        room = await self._rooms.find(room_id)
        if room is None:
            raise Forbidden("You are not in this room")
        sight = await self.sights.of(room, user_id)
        if sight.sees_all or room.membership(user_id) == "join" or room.history_visibility == "world_readable":
            return room, sight
        if not sight.was_ever_in or await is_forgotten(self._database, user_id, room_id):
            raise Forbidden("You are not in this room")
        return room, sight

    async def was_always_open(self, room: LiveRoom) -> bool:
        """Whether everybody who was ever in the room may see all of it."""
        return await self.sights.was_always_open(room)

    async def memberships(self, room_id: str, user_id: str) -> Memberships:
        """What a user was in a room, and since which positions."""
        return await self.sights.memberships(await self._rooms.get(room_id), user_id)

    async def require_reader(self, room_id: str, user_id: str) -> None:
        """Raise ``Forbidden`` unless the user is in the room, or all the world may read it."""
        room = await self._rooms.find(room_id)
        if room is None or (room.membership(user_id) != "join" and room.history_visibility != "world_readable"):
            raise Forbidden("You are not in this room")

    async def page(
        self, room_id: str, user_id: str, start: int | None, stop: int | None, limit: int, wanted: Wanted,
        *, backwards: bool,
    ) -> Page:
        """Up to ``limit`` visible events on from ``start`` (default: the newest, or the first), not past ``stop``."""
        room, sight = await self.access(room_id, user_id)
        newest = self._positions.current
        if backwards:
            begin = newest if start is None else min(start, newest)
            return await self._back(room, sight, begin, BEGINNING if stop is None else stop, limit, wanted)
        begin = BEGINNING if start is None else start
        return await self._walk(room, sight, begin, newest if stop is None else stop, limit, wanted, backwards=False)

    async def _back(
        self, room: LiveRoom, sight: Sight, start: int, stop: int, limit: int, wanted: Wanted
    ) -> Page:
        """Like ``_walk``; at the end of what is known here, other servers are asked for more."""
        page = await self._walk(room, sight, start, stop, limit, wanted, backwards=True)
        for _ in range(_MOST_FETCHES):
            if len(page.entries) >= limit or page.end is not None or stop != BEGINNING:
                return page
            if len(room.joined) == len(room.joined_here) or not await self.far.fetch_past(room):
                return page
            page = await self._walk(room, sight, start, stop, limit, wanted, backwards=True)
        if page.end is None and page.entries:
            return replace(page, end=page.entries[-1].stream - 1)  # perhaps there is more to be fetched
        return page

    async def _walk(
        self, room: LiveRoom, sight: Sight, start: int, stop: int, limit: int, wanted: Wanted, *, backwards: bool
    ) -> Page:
        found: list[Entry] = []
        position, more = start, True
        for _ in range(_MOST_STEPS):
            after, until = (stop, position) if backwards else (position, stop)
            batch = await entries_between(self._database, room, after, until, limit + 1, newest_first=backwards)
            for entry in batch:
                if len(found) == limit:
                    break
                position = entry.stream - 1 if backwards else entry.stream
                if sight.sees(entry.stream) and wanted(entry.event):
                    found.append(entry)
            more = len(batch) > limit
            if len(found) == limit or not more:
                break
        await bundle_all(self._database, room, found)
        return Page([sight.shown(entry) for entry in found], start, position if more else None)

    async def event(self, room_id: str, user_id: str, event_id: str) -> Entry:
        """One event; ``NotFound`` also for what the user may not see."""
        room, sight = await self._access_or_hide(room_id, user_id)
        entry = await self._find(room, event_id)
        if entry is None or not sight.sees(entry.stream):
            raise NotFound("There is no such event")
        return sight.shown(entry)

    async def context(
        self, room_id: str, user_id: str, event_id: str, limit: int, wanted: Wanted
    ) -> Surroundings:
        """An event with up to ``limit`` others around it."""
        room, sight = await self.access(room_id, user_id)
        entry = await self._find(room, event_id)
        if entry is None or not sight.sees(entry.stream):
            raise NotFound("There is no such event")
        half = limit // 2
        before = await self._back(room, sight, entry.stream - 1, BEGINNING, half, wanted)
        newest = self._positions.current
        after = await self._walk(room, sight, entry.stream, newest, limit - half, wanted, backwards=False)
        last = after.entries[-1] if after.entries else entry
        return Surroundings(before, sight.shown(entry), after, await state_at(self._database, room, last.snapshot))

    async def state(
        self, room_id: str, user_id: str, at: int | None = None
    ) -> tuple[LiveRoom, dict[StateKey, Event]]:
        """The state that the user may see, today's or that ``at`` a position; not after the moment when they left."""
        room, sight = await self.access(room_id, user_id)
        until = self._positions.current if at is None else min(at, self._positions.current)
        if room.membership(user_id) != "join" and room.history_visibility != "world_readable":
            until = min(until, sight.left_at)
        state = room.state_at(until)
        if state is None:
            state = await state_at(self._database, room, await snapshot_at(self._database, room, until))
        return room, state

    async def related(
        self, room_id: str, user_id: str, event_id: str, kinds: tuple[str | None, str | None],
        start: int | None, limit: int, *, backwards: bool, recurse: bool = False,
    ) -> Page:
        """Events that relate to ``event_id``, by ``(rel type, event type)``; with ``recurse`` also to these."""
        await self.event(room_id, user_id, event_id)
        room, sight = await self.access(room_id, user_id)
        targets = await self._with_descendants(event_id) if recurse else [event_id]
        entries = await related_page(
            self._database, room, targets, kinds, start, limit + 1, newest_first=backwards
        )
        seen = [entry for entry in entries[:limit] if sight.sees(entry.stream)]
        await bundle_all(self._database, room, seen)
        kept = sight.only_visible(seen)
        more = len(entries) > limit
        last = entries[limit - 1].stream if more else 0
        return Page(kept, start or 0, (last - 1 if backwards else last) if more else None)

    async def _with_descendants(self, event_id: str) -> list[str]:
        """The event and what relates to it, ``RECURSION`` steps far in all."""
        found, newest = [event_id], [event_id]
        for _ in range(RECURSION - 1):
            newest = [row[0] for row in await related_ids(self._database, newest, None)][:_MOST_TARGETS]
            found += newest
        return found[:_MOST_TARGETS]

    async def _access_or_hide(self, room_id: str, user_id: str) -> tuple[LiveRoom, Sight]:
        try:
            return await self.access(room_id, user_id)
        except Forbidden:
            raise NotFound("There is no such event") from None

    async def _find(self, room: LiveRoom, event_id: str) -> Entry | None:
        entry = room.find(event_id)
        if entry is not None and entry.stream <= self._positions.current:
            return entry
        entry = await entry_of(self._database, room, event_id)
        if entry is not None and entry.flags & (REJECTED | SOFT_FAILED):
            return None
        if entry is not None:
            await bundle_all(self._database, room, [entry])
        return entry
