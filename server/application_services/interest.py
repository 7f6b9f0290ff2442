"""Which events concern an application service (spec, "Pushing events").

An event does by its sender, by the user whose membership it is, or by its room: one with a member of the service's, or
one in its namespaces. Whoever was in a room when something was said is told of it even if they have left since, since
a service may be away for days.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from server.application_services.news_store import Header
from server.application_services.service import Service
from server.rooms.aliases import Aliases
from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry

# Later than everything that has happened.
NOW: Final = 2**62
_KEPT: Final = 10_000

# The rooms that a user is in.
RoomsOf = Callable[[str], Awaitable[list[str]]]


class Interest:
    """What one service wants to hear of."""

    def __init__(self, service: Service, rooms: Rooms, aliases: Aliases, rooms_of: RoomsOf) -> None:
        self._service = service
        self._rooms = rooms
        self._aliases = aliases
        self._rooms_of = rooms_of
        # Whether somebody is in a room that concerns the service; asked anew when anybody comes or goes.
        self._company: OrderedDict[str, bool] = OrderedDict()
        # How often it was emptied: what was found before then is not kept.
        self._emptied = 0
        # Whether a member of the service's is in a room; asked anew when somebody comes or goes.
        self._inside: dict[str, bool] = {}
        # The last position at which one of them left a room.
        self._left: dict[str, int] = {}

    def recall(self, changes: Iterable[tuple[int, str, str]]) -> None:
        """What was committed before the start: ``(stream, room id, user id)`` of members who may have left."""
        for stream, room_id, user_id in changes:
            if self._service.owns_user(user_id):
                self._left[room_id] = stream

    def told(self, position: int) -> None:
        """The service has heard of everything up to ``position``."""
        self._left = {room_id: left for room_id, left in self._left.items() if left > position}

    def follow(self, room: LiveRoom, entry: Entry) -> bool:
        """Hear of a committed event; answers whether it may concern the service."""
        event = entry.event
        is_own = event.state_key is not None and self._service.owns_user(event.state_key)
        if event.type == "m.room.member":
            self._inside.pop(room.room_id, None)
            self._company.clear()
            self._emptied += 1
            if is_own and entry.replaced is not None and entry.replaced.content.get("membership") == "join":
                self._left[room.room_id] = entry.stream
        return is_own or self._service.owns_user(event.sender) or self.may_want_room(room)

    def may_want_room(self, room: LiveRoom) -> bool:
        """Whether a room may concern the service; its aliases are not looked at."""
        service = self._service
        return self._is_inside(room) or service.owns_room(room.room_id) or bool(service.registration.aliases)

    def may_want_person(self, user_id: str) -> bool:
        """Whether somebody may be in a room that concerns the service."""
        return self._company.get(user_id, True)

    async def wants_person(self, user_id: str) -> bool:
        """Whether somebody is the service's own, or in a room that concerns it."""
        known = self._company.get(user_id)
        if known is None:
            before = self._emptied
            known = self._service.owns_user(user_id) or await self._is_in_company(user_id)
            if before == self._emptied:
                self._company[user_id] = known
                if len(self._company) > _KEPT:
                    self._company.popitem(last=False)
        return known

    async def _is_in_company(self, user_id: str) -> bool:
        for room_id in await self._rooms_of(user_id):
            if await self.wants_room(room_id, NOW):
                return True
        return False

    async def wants(self, header: Header) -> bool:
        """Whether an event concerns the service."""
        owns = self._service.owns_user
        if owns(header.sender) or (header.state_key is not None and owns(header.state_key)):
            return True
        return await self.wants_room(header.room_id, header.stream)

    async def wants_room(self, room_id: str, stream: int) -> bool:
        """Whether what happened in a room at ``stream`` concerns the service."""
        if self._left.get(room_id, 0) >= stream or self._service.owns_room(room_id):
            return True
        inside = self._inside.get(room_id)
        if inside is None:
            room = await self._rooms.find(room_id)
            inside = room is not None and self._is_inside(room)
        return inside or await self._is_named(room_id)

    def _is_inside(self, room: LiveRoom) -> bool:
        inside = self._inside.get(room.room_id)
        if inside is None:
            inside = any(self._service.owns_user(user_id) for user_id in room.joined_here)
            self._inside[room.room_id] = inside
        return inside

    async def _is_named(self, room_id: str) -> bool:
        if not self._service.registration.aliases:
            return False
        return any(self._service.owns_alias(alias) for alias in await self._aliases.of_room(room_id))
