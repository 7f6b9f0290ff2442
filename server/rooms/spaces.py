"""Walking a Space (spec: "Querying a space's hierarchy"), also through rooms of other servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from server.foundation.errors import Forbidden, Refused
from server.foundation.ids import is_server_name, server_name_of
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.ports import FarQuestions
from server.rooms.room_summary import may_look_at, summary_of, told_by_others
from server.rooms.rooms import Rooms
from server.rooms.timeline import stripped

Json = dict[str, Any]

SPACE: Final = "m.space"
_CHILD: Final = "m.space.child"
# As a Space shows them.
_CHILD_FIELDS: Final = {"type": str, "state_key": str, "content": dict, "sender": str, "origin_server_ts": int}
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

    async def summary(self, room_id: str, user_id: str, servers: list[str]) -> Json | None:
        """A room that none of ours is in, as its servers tell of it, where the user may know of it."""
        told = await self._look_far(room_id, user_id, [*servers, server_name_of(room_id)], suggested_only=True)
        return None if told is None else {name: value for name, value in told.items() if name != "children_state"}

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
        named = dict.fromkeys(name for name in servers if is_server_name(name) and name != self._rooms.server_name)
        others = list(named)[:_MOST_ASKED]
        if not others:
            return None
        try:
            told = (await self._far.hierarchy(others, room_id, suggested_only=suggested_only))["room"]
        except Refused:
            return None
        summary, children = told_by_others(told, room_id), told.get("children_state")
        if summary is None or not await self._may_know(summary, user_id):
            return None
        return {**summary, "children_state": _children_in(children)}

    async def _may_know(self, told: Json, user_id: str) -> bool:
        """The other server does not know our people: whether this one may know of the room is seen to here."""
        # Who does not name the rule means that all may join.
        if told.get("join_rule", "public") in _OPEN_RULES or told["world_readable"]:
            return True
        for room_id in told.get("allowed_room_ids", []):
            room = await self._rooms.find(room_id)
            if room is not None and room.membership(user_id) == "join":
                return True
        return False


def _children_in(children: object) -> list[Json]:
    """The events of another server's Space that can be shown."""
    found = [item for item in children if isinstance(item, dict)] if isinstance(children, list) else []
    return [
        {name: item[name] for name in _CHILD_FIELDS} for item in found
        if all(isinstance(item.get(name), kind) for name, kind in _CHILD_FIELDS.items()) and item["type"] == _CHILD
        and _servers_in(item["content"])
    ]


def _servers_in(content: Json) -> list[str]:
    """Where a child is to be found; empty where that is not said as it should be."""
    via = content.get("via")
    return via if isinstance(via, list) and all(isinstance(name, str) for name in via) else []


def _named_in(room: Json) -> list[tuple[str, list[str]]]:
    """The rooms that a Space names, and the servers that know them."""
    return [(item["state_key"], _servers_in(item["content"])) for item in room["children_state"]]


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
