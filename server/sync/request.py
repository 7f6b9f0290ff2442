"""What ``/sync`` is asked, and what its answers are made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from server.accounts.accounts import Accounts
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.rooms.typing import Typing
from server.rooms.visibility import Sights
from server.sync.filters import Filter
from server.sync.presence_news import PresenceNews
from server.sync.room_section import Span, Viewer
from server.sync.tokens import SyncToken


class Unreads(Protocol):
    """Counts what is not read; the notifications bring it."""

    async def of(self, room: LiveRoom, user_id: str, came_in: int) -> Unread:
        """What a member who came in at a position has not read of a room."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What a device asks. ``since`` is ``None`` at its first time."""

    user_id: str
    device_id: str
    filter: Filter
    since: SyncToken | None = None
    timeout_ms: int = 0
    full_state: bool = False
    state_after: bool = False
    set_presence: str = "online"

    def in_room(self, room_id: str) -> SyncRequest:
        """The request as it is meant for one room."""
        narrowed = self.filter.in_room(room_id)
        return self if narrowed is self.filter else replace(self, filter=narrowed)

    @property
    def viewer(self) -> Viewer:
        """Who looks, and how."""
        return Viewer(self.user_id, self.device_id, self.filter, self.state_after)


@dataclass(frozen=True, slots=True)
class World:
    """What an answer is made from."""

    rooms: Rooms
    receipts: Receipts
    typing: Typing
    unread: Unreads
    sights: Sights
    own: Accounts
    presence: PresenceNews

    def ignored_by(self, user_id: str) -> frozenset[str]:
        """Whom a user does not want to hear. Costs no SQL."""
        return self.own.account_data.ignored_by(user_id)

    def without_ignored(self, span: Span, user_id: str) -> Span:
        """Leave out what ignored users have said, but not what they did to the room (spec: "Ignoring Users")."""
        ignored = self.ignored_by(user_id)
        if not ignored:
            return span
        kept = [
            entry for entry in span.entries
            if entry.event.state_key is not None or entry.event.sender not in ignored
        ]
        return span._replace(entries=kept)


def state_name(request: SyncRequest) -> bytes:
    """Under which name the state goes: before the timeline, or after it (MSC4222)."""
    return b'"state_after":' if request.state_after else b'"state":'
