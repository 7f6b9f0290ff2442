"""The ``summary`` of a room in ``/sync``: how many people, and after whom a room without a name is called."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from server.rooms.event import Event, StateKey

_HEROES: Final = 5
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of a room at one moment, and the first of them where the room has no name (one more than heroes)."""

    joined: int
    invited: int
    firsts: tuple[str, ...] | None

    def heroes(self, user_id: str) -> list[str]:
        """After whom the room is named for ``user_id``; none where it has a name."""
        return [member for member in self.firsts or () if member != user_id][:_HEROES]

    def summary(self, user_id: str) -> dict[str, object]:
        """What ``user_id`` is told (spec: "RoomSummary")."""
        told: dict[str, object] = {"m.joined_member_count": self.joined, "m.invited_member_count": self.invited}
        if self.firsts is not None:
            told["m.heroes"] = self.heroes(user_id)
        return told


class Crowds:
    """The crowds of rooms, counted once for all who are told of the same moment."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], Crowd] = OrderedDict()

    def of(self, room_id: str, position: int, state: Mapping[StateKey, Event]) -> Crowd:
        """The crowd of a room with this state at this position."""
        known = self._known.get((room_id, position))
        if known is None:
            known = self._known[room_id, position] = count_crowd(state)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def count_crowd(state: Mapping[StateKey, Event]) -> Crowd:
    """Count the members of a room; heroes are the first who came, or, where nobody is left, of those who were there."""
    members = [event for (kind, _), event in state.items() if kind == "m.room.member"]
    joined = [event for event in members if event.content.get("membership") == "join"]
    invited = [event for event in members if event.content.get("membership") == "invite"]
    if _says(state, "m.room.name", "name") or _says(state, "m.room.canonical_alias", "alias"):
        return Crowd(len(joined), len(invited), None)
    here = [*joined, *invited]
    gone = [event for event in members if event.content.get("membership") in ("leave", "ban")]
    first = nsmallest(_HEROES + 1, here if len(here) > 1 else gone, key=_came)
    return Crowd(len(joined), len(invited), tuple(event.state_key or "" for event in first))


def _came(event: Event) -> tuple[int, int, str]:
    """Who came in the same millisecond came one after the other, too."""
    return event.origin_server_ts, event.depth, event.event_id


def _says(state: Mapping[StateKey, Event], kind: str, field: str) -> bool:
    event = state.get((kind, ""))
    value = event.content.get(field) if event is not None else None
    return isinstance(value, str) and bool(value)
