"""Walking a Space (spec: "Querying a space's hierarchy"), as far as this node knows its rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from server.foundation.errors import Forbidden
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.room_summary import may_look_at, summary_of
from server.rooms.rooms import Rooms
from server.rooms.timeline import stripped

Json = dict[str, Any]

SPACE: Final = "m.space"
_CHILD: Final = "m.space.child"
_MOST_ROOMS: Final = 2_000


class Spaces:
    """Which rooms belong together."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def walk(
        self, room_id: str, user_id: str, *, suggested_only: bool = False, max_depth: int = 10
    ) -> AsyncIterator[Json]:
        """The space and the rooms below it that the user may know of, depth first; raises ``Forbidden``."""
        root = await self._visible(room_id, user_id)
        if root is None:
            raise Forbidden("You may not look into this room")
        waiting, seen = [(root, 0)], {room_id}
        while waiting and len(seen) <= _MOST_ROOMS:
            room, depth = waiting.pop()
            children = _children(room, suggested_only=suggested_only)
            yield {**summary_of(room), "children_state": [_as_child(event) for event in children]}
            below: list[tuple[LiveRoom, int]] = []
            for event in children if depth < max_depth else ():
                child_id = event.state_key or ""
                child = await self._visible(child_id, user_id) if child_id not in seen else None
                if child is not None:
                    seen.add(child_id)
                    below.append((child, depth + 1))
            waiting += reversed(below)

    async def _visible(self, room_id: str, user_id: str) -> LiveRoom | None:
        room = await self._rooms.find(room_id)
        return room if room is not None and await may_look_at(self._rooms, room, user_id) else None


def _children(room: LiveRoom, *, suggested_only: bool) -> list[Event]:
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
