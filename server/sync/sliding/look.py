"""One look at one room, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from server.rooms.event import StateKey
from server.rooms.membership_store import Membership
from server.sync.sliding.asked import RoomWish
from server.sync.sliding.connections import NOTHING_UNREAD, ToldRoom, UnreadCount

Json = dict[str, Any]


@dataclass(slots=True)
class RoomNews:
    """News of a room. ``shown`` are the fields whose names all dialects share."""

    membership: str
    shown: Json
    timeline: list[orjson.Fragment] | None = None
    state: list[orjson.Fragment] | None = None
    stripped: list[Json] | None = None
    # Keys of state that is there no more, and the names of the lists that show the room.
    gone: list[StateKey] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    is_expanded: bool = False
    unread: UnreadCount = NOTHING_UNREAD
    event_ids: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether the device begins anew with this room, or with its timeline."""
        return self.is_expanded or "initial" in self.shown


class Look(NamedTuple):
    """One look at one room: who looks, at what, and what the device knows of it."""

    user_id: str
    device_id: str
    place: Membership
    wish: RoomWish
    known: ToldRoom | None
    is_dm: bool
    # The answer tells of what was committed up to ``now``; later than ``since`` is live.
    now: int
    since: int

    @property
    def is_initial(self) -> bool:
        """Whether the device knows nothing of the room that would still hold."""
        if self.known is None:
            return True
        return self.place.membership == "join" and (
            self.known.membership != "join" or self.place.stream > self.known.up_to
        )

    @property
    def until(self) -> int:
        """Up to where the user may look: who has left sees nothing of what came later."""
        return self.now if self.place.membership == "join" else min(self.now, self.place.stream)

    def has_grown(self) -> bool:
        """Whether more is asked of the room than before."""
        if self.known is None:
            return True
        return self.wish.timeline_limit > self.known.wish.timeline_limit or self.wish.state != self.known.wish.state
