"""Walking a Space (spec: "Querying a space's hierarchy"), also through rooms of other servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from server.foundation.errors import Forbidden, Refused
from server.foundation.ids import is_server_name, server_name_of
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.ports import FarQuestions
from server.rooms.room_summary import may_look_at, summary_of
from server.rooms.rooms import Rooms
from server.rooms.timeline import stripped

Json = dict[str, Any]

SPACE: Final = "m.space"
_CHILD: Final = "m.space.child"
_MOST_ROOMS: Final = 2_000
_MOST_ASKED: Final = 3
_OPEN_RULES: Final = ("public", "knock", "knock_restricted")


class Spaces:
    """Which rooms belong together."""

    def __init__(self, rooms: Rooms, far: FarQuestions) -> None:
        self._rooms = rooms
        self._far = far

    async def walk(
        self, room_id: str, user_id: str, *, suggested_only: bool = False, max_depth: int = 10
    ) -> AsyncIterator[Json]:
        """The space and the rooms below it that the user may know of, depth first; raises ``Forbidden``."""
        root = await self._look(room_id, user_id, [server_name_of(room_id)], suggested_only)
        if root is None:
            raise Forbidden("You may not look into this room")
        waiting, seen = [(root, 0)], {room_id}
        while waiting and len(seen) <= _MOST_ROOMS:
            room, depth = waiting.pop()
            yield room
            below: list[tuple[Json, int]] = []
            for child_id, servers in _named_in(room) if depth < max_depth else ():
                child = await self._look(child_id, user_id, servers, suggested_only) if child_id not in seen else None
                if child is not None:
                    seen.add(child_id)
                    below.append((child, depth + 1))
            waiting += reversed(below)

    async def _look(self, room_id: str, user_id: str, servers: list[str], suggested_only: bool) -> Json | None:
        """A room and what it names, where the user may know of it; a room of others as they tell of it."""
        room = await self._rooms.find(room_id)
        if room is None or not room.joined_here:
            return await self._look_far(room_id, user_id, servers, suggested_only)
        if not await may_look_at(self._rooms, room, user_id):
            return None
        children = children_of(room, suggested_only=suggested_only)
        return {**summary_of(room), "children_state": [_as_child(event) for event in children]}

    async def _look_far(self, room_id: str, user_id: str, servers: list[str], suggested_only: bool) -> Json | None:
        others = [name for name in servers if is_server_name(name) and name != self._rooms.server_name][:_MOST_ASKED]
        if not others:
            return None
        try:
            told = (await self._far.hierarchy(others, room_id, suggested_only=suggested_only))["room"]
        except Refused:
            return None
        if told.get("room_id") != room_id or not await self._may_know(told, user_id):
            return None
        children = told.get("children_state")
        return {**told, "children_state": children if isinstance(children, list) else []}

    async def _may_know(self, told: Json, user_id: str) -> bool:
        """The other server does not know our people: whether this one may know of the room is seen to here."""
        if told.get("join_rule") in _OPEN_RULES or told.get("world_readable") is True:
            return True
        allowed = told.get("allowed_room_ids")
        for room_id in allowed if isinstance(allowed, list) else []:
            room = await self._rooms.find(room_id) if isinstance(room_id, str) else None
            if room is not None and room.membership(user_id) == "join":
                return True
        return False


def _named_in(room: Json) -> list[tuple[str, list[str]]]:
    """The rooms that a Space names, and the servers that know them."""
    found = []
    for item in room["children_state"]:
        if isinstance(item, dict) and isinstance(item.get("content"), dict) and isinstance(item.get("state_key"), str):
            via = item["content"].get("via")
            servers = [name for name in via if isinstance(name, str)] if isinstance(via, list) else []
            found.append((item["state_key"], servers))
    return found


def children_of(room: LiveRoom, *, suggested_only: bool) -> list[Event]:
    """The events by which a Space names its rooms, in their order."""
    if room.room_type != SPACE:
        return []
    found = [
        event for (kind, _), event in room.state.items()
        if kind == _CHILD and _is_valid(event) and (not suggested_only or event.content.get("suggested") is True)
    ]
    return sorted(found, key=_place)


def _is_valid(event: Event) -> bool:
    via = event.content.get("via")
    return isinstance(via, list) and bool(via) and (event.state_key or "").startswith("!")


def _place(event: Event) -> tuple[bool, str, int, str]:
    """Spec "Ordering of children within a space": those with an order first, then the oldest, then by id."""
    order = event.content.get("order")
    if not (isinstance(order, str) and len(order) <= 50 and all(" " <= sign <= "~" for sign in order)):
        order = None
    return order is None, order or "", event.origin_server_ts, event.state_key or ""


def _as_child(event: Event) -> Json:
    return {**stripped(event), "origin_server_ts": event.origin_server_ts}
