"""Rooms that live on other servers: joining, knocking, leaving from here, and inviting people who live there.

Source: server-server API, "Joining Rooms", "Knocking upon a room", "Leaving Rooms (Rejecting Invites)", "Inviting to
a room". What another server proposes as our event is read for where it stands in the graph only: we sign nothing that
we have not said ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from federation.identity.event_signatures import EventReader
from federation.identity.servers import MOST_BYTES, OwnIdentity, Query, Servers, path_of
from server.foundation.canonical_json import MAX_INTEGER
from server.foundation.clock import Clock
from server.foundation.errors import BadRequest, InvalidParam, MissingParam, Refused
from server.foundation.ids import server_name_of
from server.rooms.arrivals import Arrivals, as_shown
from server.rooms.event import Event, seal
from server.rooms.event_format import read_pdu
from server.rooms.live_room import LiveRoom
from server.rooms.ports import PeerFailed
from server.rooms.receive_event import EventReceiver
from server.rooms.room_versions import ROOM_VERSIONS, RoomVersion, room_version
from server.rooms.send_event import VOUCHER

Content = Mapping[str, Any]

_V1: Final = "/_matrix/federation/v1"
_V2: Final = "/_matrix/federation/v2"
_LONG_S: Final = 120.0
_MOST_SHOWN: Final = 50


class FarRooms:
    """Implements ``server.rooms.ports.FarRooms``."""

    def __init__(
        self, servers: Servers, reader: EventReader, arrivals: Arrivals, receiver: EventReceiver,
        identity: OwnIdentity, clock: Clock,
    ) -> None:
        self._servers = servers
        self._reader = reader
        self._arrivals = arrivals
        self._receiver = receiver
        self._identity = identity
        self._clock = clock

    async def join(self, servers: Sequence[str], room_id: str, user_id: str, content: Content) -> LiveRoom:
        """Join by the first of ``servers`` that lets us in; raises ``PeerFailed`` with what the last one said."""
        versions = [("ver", name) for name in ROOM_VERSIONS]
        fault: Refused = PeerFailed("No server is known that is in this room")
        for server in self._others(servers):
            try:
                event = await self._propose(server, "join", room_id, user_id, content, versions)
                return await self._send_join(server, event)
            except Refused as refused:
                fault = refused
        raise fault

    async def knock(self, servers: Sequence[str], room_id: str, user_id: str, content: Content) -> LiveRoom:
        """Knock by the first of ``servers`` that takes it."""
        versions = [("ver", name) for name in ROOM_VERSIONS]
        fault: Refused = PeerFailed("No server is known that is in this room")
        for server in self._others(servers):
            try:
                event = await self._propose(server, "knock", room_id, user_id, content, versions)
                answer = await self._servers.ask(
                    server, "PUT", path_of(f"{_V1}/send_knock", room_id, event.event_id), content=event.pdu
                )
                shown = await self.shown(server, _shown_in(answer, "knock_room_state"), event.version, room_id)
                return await self._arrivals.be_told(event, shown, event.version)
            except Refused as refused:
                fault = refused
        raise fault

    async def leave(self, servers: Sequence[str], room: LiveRoom, user_id: str, content: Content) -> None:
        """Decline an invitation, or take a knock back. Where nobody answers, it is gone for us all the same."""
        event = None
        for server in self._others(servers):
            try:
                proposed = await self._propose(server, "leave", room.room_id, user_id, content, ())
                await self._servers.ask(
                    server, "PUT", path_of(f"{_V2}/send_leave", room.room_id, proposed.event_id), content=proposed.pdu
                )
                event = proposed
                break
            except Refused:
                continue
        if event is None:
            event = self._seal({}, "leave", room.room_id, user_id, content, room.version)
        await self._arrivals.be_told(event, (), room.version)

    async def invite(self, room: LiveRoom, event: Event, shown: Sequence[Content]) -> None:
        """Let an invitation be signed by the server of whom we invite, and enter it."""
        server = server_name_of(event.state_key or "")
        answer = await self._servers.ask(
            server, "PUT", path_of(f"{_V2}/invite", event.room_id, event.event_id), content={
                "event": event.pdu, "invite_room_state": list(shown), "room_version": event.version.name,
            },
        )
        signed = answer.get("event") if isinstance(answer, dict) else None
        signatures = signed.get("signatures", {}).get(server) if isinstance(signed, dict) else None
        if not isinstance(signatures, dict):
            raise PeerFailed("The other server has not signed the invitation")
        pdu = {**event.pdu, "signatures": {**event.pdu["signatures"], server: signatures}}
        invitation = Event(pdu, event.version, event.event_id, event.room_id)
        if not await self._reader.is_signed_by(invitation, server):
            raise PeerFailed("The other server has not signed the invitation")
        await self._receiver.take_own(room, invitation)

    async def shown(self, server: str, shown: Sequence[object], version: RoomVersion, room_id: str) -> list[Event]:
        """What another server shows of a room to somebody who is not in it (MSC4311).

        Since version 12 these are whole events that prove that they belong to the room. Raises ``M_MISSING_PARAM`` or
        ``M_INVALID_PARAM``.
        """
        if not version.room_id_is_create_hash:
            return as_shown(shown, version, room_id)
        events = await self._reader.read(shown[:_MOST_SHOWN], version, helpers=[server])
        if any(event.room_id != room_id for event in events):
            raise InvalidParam("What is shown of the room is of another room")
        if not any(event.type == "m.room.create" for event in events):
            raise MissingParam("What is shown of the room lacks its beginning")
        return [event for event in events if event.state_key is not None]

    def _others(self, servers: Sequence[str]) -> list[str]:
        return [server for server in dict.fromkeys(servers) if server != self._identity.server_name][:10]

    async def _propose(
        self, server: str, membership: str, room_id: str, user_id: str, content: Content, query: Query
    ) -> Event:
        """Our event, standing where the other server says that it should."""
        answer = await self._servers.get(server, path_of(f"{_V1}/make_{membership}", room_id, user_id), query)
        if not isinstance(answer, dict) or not isinstance(answer.get("event"), dict):
            raise PeerFailed("The other server did not answer as it should")
        try:
            version = room_version(answer.get("room_version", "1"))
        except Refused:
            raise PeerFailed("The room has a version that this node does not know") from None
        return self._seal(answer["event"], membership, room_id, user_id, content, version)

    def _seal(
        self, proposed: Content, membership: str, room_id: str, user_id: str, content: Content, version: RoomVersion
    ) -> Event:
        said = {**content, "membership": membership}
        voucher = proposed.get("content", {}).get(VOUCHER) if isinstance(proposed.get("content"), dict) else None
        if membership == "join" and version.restricted_join and isinstance(voucher, str):
            said[VOUCHER] = voucher
        depth = proposed.get("depth", 1)
        pdu = {
            "auth_events": _links(proposed, "auth_events"), "content": said,
            "depth": depth if type(depth) is int and 0 < depth <= MAX_INTEGER else MAX_INTEGER,
            "origin_server_ts": self._clock.now_ms(), "prev_events": _links(proposed, "prev_events"),
            "room_id": room_id, "sender": user_id, "state_key": user_id, "type": "m.room.member",
        }
        # Read as a stranger's, for half of it is: no odd links get our signature.
        return read_pdu(seal(pdu, version, self._identity.server_name, self._identity.key).pdu, version)

    async def _send_join(self, server: str, event: Event) -> LiveRoom:
        answer = await self._servers.ask(
            server, "PUT", path_of(f"{_V2}/send_join", event.room_id, event.event_id),
            [("omit_members", "false")], event.pdu, limit=MOST_BYTES, timeout_s=_LONG_S,
        )
        if not isinstance(answer, dict) or answer.get("members_omitted"):
            raise PeerFailed("The other server did not answer as it should")
        state, chain = answer.get("state"), answer.get("auth_chain")
        if not isinstance(state, list) or not isinstance(chain, list):
            raise PeerFailed("The other server did not say what room this is")
        read = await self._reader.read_each([*state, *chain], event.version, helpers=[server])
        _require_beginning(state, read)
        events = [item if isinstance(item, Event) and item.room_id == event.room_id else None for item in read]
        join = _with_signatures(event, answer.get("event"))
        ours = await self._arrivals.room_of_ours(event.room_id)
        if ours is not None:
            # We are in already, and know the room; only its door was opened by another server.
            await self._receiver.receive(server, join)
            return ours
        return await self._arrivals.arrive(
            join, [item for item in events[:len(state)] if item is not None],
            [item for item in events[len(state):] if item is not None],
        )


def _require_beginning(state: Sequence[object], read: Sequence[Event | Refused]) -> None:
    """Say why the room cannot be entered, where it is its first event that cannot be believed."""
    for pdu, item in zip(state, read, strict=False):
        if isinstance(pdu, dict) and pdu.get("type") == "m.room.create" and isinstance(item, Refused):
            raise PeerFailed(f"The beginning of the room cannot be believed: {item.reason}")


def _with_signatures(event: Event, returned: object) -> Event:
    """Our join with the signature of the server that has let us into a restricted room."""
    if not isinstance(returned, dict):
        return event
    try:
        theirs = read_pdu(returned, event.version)
    except Refused:
        raise BadRequest("The other server has made something else of our join") from None
    if theirs.event_id != event.event_id:
        raise BadRequest("The other server has made something else of our join")
    signatures = {**theirs.pdu["signatures"], **event.pdu["signatures"]}
    return Event({**event.pdu, "signatures": signatures}, event.version, event.event_id, event.room_id)


def _links(proposed: Content, name: str) -> list[str]:
    links = proposed.get(name)
    if links is None:
        return []
    if not isinstance(links, list) or not all(isinstance(link, str) for link in links):
        raise PeerFailed("The other server did not answer as it should")
    return links


def _shown_in(answer: object, name: str) -> list[Any]:
    shown = answer.get(name) if isinstance(answer, dict) else None
    return [item for item in shown if isinstance(item, dict)] if isinstance(shown, list) else []
