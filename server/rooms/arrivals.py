"""Coming into a room that lives on other servers, being told of one, and leaving one that we are not in.

Source: server-server API, "Joining Rooms", "Inviting to a room", "Leaving Rooms (Rejecting Invites)". The other server
has answered already and its events have passed the first three checks; here they become a room of this node.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from server.foundation.canonical_json import canonical_json, require_canonical
from server.foundation.errors import BadRequest, Forbidden
from server.foundation.signatures import unpadded_base64
from server.rooms.accept_event import EventAcceptor
from server.rooms.auth_rules import check_auth
from server.rooms.event import Event, StateKey
from server.rooms.graph_store import add_back_edges, add_past_event, forget_outlier, stored_events
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.outliers import judge_by_authorities
from server.rooms.placement import Placement, State, StoredState
from server.rooms.room_versions import RoomVersion
from server.rooms.rooms import Rooms
from server.rooms.state_store import add_room, set_outside
from server.rooms.timeline import OUTLIER, REJECTED
from server.storage.database import Database, Writes
from server.storage.streams import PastPositions

# Of what one is shown with an invitation; the rest of it nobody needs.
_MOST_SHOWN: Final = 50


class Arrivals:
    """Makes rooms of other servers rooms of ours."""

    def __init__(self, database: Database, rooms: Rooms, acceptor: EventAcceptor, past: PastPositions) -> None:
        self._database = database
        self._rooms = rooms
        self._acceptor = acceptor
        self._past = past

    async def arrive(self, join: Event, state: Iterable[Event], auth_chain: Iterable[Event]) -> LiveRoom:
        """Enter the room that ``join`` of ours joins, as the resident server describes it.

        Raises ``BadRequest`` where what it says is no room, ``Forbidden`` where its own state forbids the join.
        """
        room = await self._room_for(join)
        state = list(state)
        authorities, rejected = judge_by_authorities([*auth_chain, *state], {})
        known = {event.event_id for event in authorities}
        before = {
            event.key: event for event in state
            if event.state_key is not None and event.event_id in known and event.event_id not in rejected
        }
        _require_room(join, before)
        stored = await stored_events(self._database, room, [*known, *join.prev_events])
        writes = Writes()
        self._open(room, writes)
        for event in authorities:
            if event.event_id not in stored and event.event_id != join.event_id:
                flags = OUTLIER | (REJECTED if event.event_id in rejected else 0)
                add_past_event(writes, room, event, self._past.allocate(), 0, flags)
        add_back_edges(writes, room, [
            link for link in join.prev_events if link not in stored or stored[link].flags & OUTLIER
        ])
        await self._enter(room, join, before, [join.event_id], writes)
        return room

    async def room_of_ours(self, room_id: str) -> LiveRoom | None:
        """The room, if somebody here is in it already."""
        room = await self._rooms.find(room_id)
        return room if room is not None and room.joined_here else None

    async def be_told(
        self, event: Event, shown: Sequence[Event], version: RoomVersion
    ) -> LiveRoom:
        """Keep an invitation (or our own knock, or our leaving) of a room that none of us is in.

        ``shown`` is what one sees of it (see ``as_shown``). What is known of a room that we have left stays.
        """
        room = await self._rooms.find(event.room_id)
        if room is not None and room.joined_here:
            raise Forbidden("We are in this room")
        writes = Writes()
        before: dict[StateKey, Event] = {} if room is None else dict(room.state)
        if room is None:
            room = self._new_room(event.room_id, version, outside=True)
            self._open(room, writes)
        if room.outside:
            for item in shown[:_MOST_SHOWN]:
                if item.key not in before or before[item.key].event_id != item.event_id:
                    add_past_event(writes, room, item, self._past.allocate(), 0, OUTLIER)
                before[item.key] = item
        await self._enter(room, event, before, room.tip.extremities, writes)
        return room

    async def _room_for(self, join: Event) -> LiveRoom:
        room = await self._rooms.find(join.room_id)
        if room is None:
            return self._new_room(join.room_id, join.version, outside=False)
        if room.version.name != join.version.name:
            raise BadRequest("The room has another version than it had before")
        return room

    def _new_room(self, room_id: str, version: RoomVersion, *, outside: bool) -> LiveRoom:
        rooms = self._rooms
        tip = Tip([], 0, 0, 0)
        return LiveRoom(rooms.new_number(), room_id, version, rooms.server_name, tip, {}, outside=outside)

    def _open(self, room: LiveRoom, writes: Writes) -> None:
        if self._rooms.live(room.room_id) is None:
            add_room(writes, room)

    async def _enter(
        self, room: LiveRoom, event: Event, before: State, ends: Sequence[str], writes: Writes
    ) -> None:
        is_new = self._rooms.live(room.room_id) is None
        if is_new:
            self._rooms.enter(room)
        async with self._rooms.hold(room) as held:
            if held is not room:
                raise Forbidden("The room has changed meanwhile; please try again")
            if room.outside and event.content.get("membership") == "join":
                room.outside = False
                set_outside(writes, room)
            forget_outlier(writes, event.event_id)
            placement = Placement(StoredState(before), list(ends), {**before, event.key: event})
            try:
                self._acceptor.accept(room, event, writes, placement=placement)
                commit = self._database.submit(writes)
            except BaseException:
                for undo in writes.on_failure:
                    undo()
                raise
        await asyncio.shield(commit)


def _require_room(join: Event, state: State) -> None:
    create = state.get(("m.room.create", ""))
    if create is None or create.room_id != join.room_id:
        raise BadRequest("The other server did not send the beginning of the room")
    if create.content.get("room_version", "1") != join.version.name:
        raise BadRequest("The other server has named another room version than the room has")
    check_auth(join, state)


def as_shown(stripped: Sequence[object], version: RoomVersion, room_id: str) -> list[Event]:
    """Stripped state as events that have no place in any graph; what is no state is left out."""
    found = []
    for item in stripped[:_MOST_SHOWN]:
        if not isinstance(item, Mapping):
            continue
        kind, state_key, content, sender = (item.get(name) for name in ("type", "state_key", "content", "sender"))
        if isinstance(kind, str) and isinstance(state_key, str) and isinstance(content, dict):
            require_canonical(content)
            pdu = {
                "auth_events": [], "content": content, "depth": 0, "origin_server_ts": 0, "prev_events": [],
                "sender": sender if isinstance(sender, str) else "", "state_key": state_key, "type": kind,
            }
            digest = hashlib.sha256(canonical_json([room_id, pdu])).digest()
            found.append(Event(pdu, version, f"$shown-{unpadded_base64(digest)}", room_id))
    return found
