"""What the room core needs from other servers; ``federation.outbound`` brings it.

Every event that comes back has passed the first three checks on receipt (format, signatures, content hash). All verbs
go to the network: never to be called under a room's lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from server.foundation.errors import Forbidden, NotFound, Refused
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom


class PeerFailed(Refused):
    """Another server did not answer, or not with what was asked for.

    404 and not 502: nothing is wrong with this node, and a proxy before it may put a page of its own in a 502's place.
    """

    status = 404
    code = "M_UNKNOWN"


class Peers(Protocol):
    """Asking other servers about rooms that we are in. All raise ``PeerFailed``."""

    async def missing_events(
        self, server: str, room: LiveRoom, earliest: Sequence[str], latest: Sequence[str], limit: int
    ) -> list[Event]:
        """Up to ``limit`` events between ``earliest`` (known) and ``latest`` (not to be sent), the newest of them."""

    async def authorities(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """Everything that an event rests on."""

    async def state_ids_before(self, server: str, room: LiveRoom, event_id: str) -> tuple[list[str], list[str]]:
        """The ids of the state before an event, and of everything that it rests on."""

    async def state_before(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """The state before an event and everything that it rests on, whole."""

    async def events(self, server: str, room: LiveRoom, event_ids: Sequence[str]) -> list[Event]:
        """Those of these events that the server has."""

    async def backfill(
        self, servers: Sequence[str], room: LiveRoom, event_ids: Sequence[str], limit: int
    ) -> list[Event]:
        """Up to ``limit`` events: these and what came before them, from the first server that answers."""


class FarRooms(Protocol):
    """Taking part in rooms of other servers. All raise ``PeerFailed``, or a ``Refused`` in the other server's words."""

    async def join(
        self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]
    ) -> LiveRoom:
        """Join through the first of ``servers`` that lets us in."""

    async def knock(
        self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]
    ) -> LiveRoom:
        """Knock through the first of ``servers`` that takes it."""

    async def leave(
        self, servers: Sequence[str], room: LiveRoom, user_id: str, content: Mapping[str, Any]
    ) -> None:
        """Decline an invitation, or take a knock back; it is gone for us even where nobody answers."""

    async def invite(self, room: LiveRoom, event: Event, shown: Sequence[Mapping[str, Any]]) -> None:
        """Let an invitation be signed by the server of whom we invite, and enter it."""

    async def fetch_past(self, room: LiveRoom) -> bool:
        """Fetch an earlier piece of the room's past; whether there was any. Never raises."""

    async def find_moment(self, room: LiveRoom, ts: int, *, backwards: bool) -> str | None:
        """The event that others know nearest to ``ts``, before or after it; it is known here, then. Never raises."""


class FarQuestions(Protocol):
    """Asking other servers for what is theirs. All raise ``PeerFailed``, or a ``Refused`` in their words."""

    async def alias(self, alias: str) -> tuple[str, list[str]]:
        """The room that an alias of another server stands for, and servers that are in it."""

    async def profile(self, user_id: str, name: str | None = None) -> dict[str, Any]:
        """What somebody of another server shows, or one field of it."""

    async def public_rooms(self, server: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """A page of another server's list; ``wanted`` as in the specification."""

    async def hierarchy(self, servers: Sequence[str], room_id: str, *, suggested_only: bool) -> dict[str, Any]:
        """A Space of another server and the rooms right below it."""


class Far(FarRooms, FarQuestions, Protocol):
    """Everything that people here want of other servers."""


class NoPeers:
    """A node that talks to no other server."""

    async def missing_events(
        self, server: str, room: LiveRoom, earliest: Sequence[str], latest: Sequence[str], limit: int
    ) -> list[Event]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def authorities(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def state_ids_before(self, server: str, room: LiveRoom, event_id: str) -> tuple[list[str], list[str]]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def state_before(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def events(self, server: str, room: LiveRoom, event_ids: Sequence[str]) -> list[Event]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def backfill(
        self, servers: Sequence[str], room: LiveRoom, event_ids: Sequence[str], limit: int
    ) -> list[Event]:
        """None."""
        raise PeerFailed("This node does not talk to other servers")

    async def join(
        self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]
    ) -> LiveRoom:
        """Refused."""
        raise NotFound("This room is not known here")

    async def knock(
        self, servers: Sequence[str], room_id: str, user_id: str, content: Mapping[str, Any]
    ) -> LiveRoom:
        """Refused."""
        raise NotFound("This room is not known here")

    async def leave(
        self, servers: Sequence[str], room: LiveRoom, user_id: str, content: Mapping[str, Any]
    ) -> None:
        """Refused."""
        raise PeerFailed("This node does not talk to other servers")

    async def invite(self, room: LiveRoom, event: Event, shown: Sequence[Mapping[str, Any]]) -> None:
        """Refused."""
        raise PeerFailed("This node does not talk to other servers")

    async def fetch_past(self, room: LiveRoom) -> bool:
        """There is none."""
        return False

    async def find_moment(self, room: LiveRoom, ts: int, *, backwards: bool) -> str | None:
        """None."""
        return None

    async def alias(self, alias: str) -> tuple[str, list[str]]:
        """None."""
        raise NotFound("There is no room of this name")

    async def profile(self, user_id: str, name: str | None = None) -> dict[str, Any]:
        """None."""
        raise NotFound("There is no such user here")

    async def public_rooms(self, server: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """None."""
        raise Forbidden("This node does not ask other servers for their lists")

    async def hierarchy(self, servers: Sequence[str], room_id: str, *, suggested_only: bool) -> dict[str, Any]:
        """None."""
        raise NotFound("This room is not known here")
