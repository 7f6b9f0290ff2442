"""What ``/sync`` says of rooms that a user has left, is invited to, or has asked to join."""

from __future__ import annotations

from typing import Any, Final

import orjson

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import Membership
from server.rooms.timeline import stripped
from server.sync.request import SyncRequest, World, state_name
from server.sync.room_section import RoomReader, Span, Stay, members_of, state_json, timeline_json

Json = dict[str, Any]

_STRIPPED: Final = (
    ("m.room.create", ""), ("m.room.name", ""), ("m.room.avatar", ""), ("m.room.topic", ""),
    ("m.room.join_rules", ""), ("m.room.canonical_alias", ""), ("m.room.encryption", ""),
)
# Of a room that was left one is in it since no position any more.
_NEVER: Final = 2**62


class OtherRooms:
    """Makes the sections of ``rooms.leave``, ``rooms.invite`` and ``rooms.knock``."""

    def __init__(self, world: World, reader: RoomReader) -> None:
        self._world = world
        self._reader = reader

    async def left(self, place: Membership, request: SyncRequest, data: list[Json]) -> bytes:
        """A room that was left, up to the moment of leaving, with changed account data of it."""
        room = await self._world.rooms.get(place.room_id)
        sight = await self._world.sights.of(room, request.user_id)
        own = await self._reader.page_back(room, place.stream - 1, place.stream, 1)
        if place.forgotten or not sight.was_ever_in:
            # Who has only declined an invitation, or wants to see no more of the room, is told no more than that.
            only = Span(own, False, place.stream - 1)
            return self._left_json(only, request, Stay(_NEVER, sight.membership), [], data)
        since = request.since.stream if request.since else 0
        limit = request.filter.timeline_limit(request.since is None)
        if request.since is None:
            span = await self._reader.newest(room, place.stream, limit, sight, request.filter.timeline)
        else:
            span = await self._reader.after(room, since, place.stream, limit, sight, request.filter.timeline)
        if not any(entry.stream == place.stream for entry in span.entries):
            span = span._replace(entries=[*span.entries, *own])
        span = self._world.without_ignored(span, request.user_id)
        position = span.entries[0].stream - 1 if span.entries and not request.state_after else place.stream
        if request.since is None or request.full_state:
            state = await self._reader.state_at(room, position)
        else:
            state = await self._reader.state_between(room, since, position)
        if not request.state_after and not request.filter.timeline.wants_all:
            state = await self._reader.with_unseen(room, state, span, place.stream)
        if request.since is None and request.filter.state.lazy_members:
            speakers = {event.event_id for event in members_of(span, state, (request.user_id,))}
            state = {
                key: event for key, event in state.items() if key[0] != "m.room.member" or event.event_id in speakers
            }
        wanted = [event for event in state.values() if request.filter.state.wants(event)]
        return self._left_json(span, request, Stay(_NEVER, sight.membership), wanted, data)

    def _left_json(
        self, span: Span, request: SyncRequest, stay: Stay, events: list[Event], data: list[Json]
    ) -> bytes:
        timeline = timeline_json(span, request.viewer, stay, self._reader.now_ms())
        return b'{"timeline":%b,%b%b,"account_data":{"events":%b}}' % (
            timeline, state_name(request), state_json(events), orjson.dumps(data)
        )

    async def asked(self, kind: bytes, place: Membership, request: SyncRequest) -> bytes | None:
        """An invitation or a knock: stripped state with the membership itself."""
        room = await self._world.rooms.get(place.room_id)
        if place.sender in self._world.ignored_by(request.user_id):
            return None
        found = stripped_state(room, place, request.user_id)
        name = b"invite_state" if kind == b"invite" else b"knock_state"
        return b'{"%b":{"events":%b}}' % (name, orjson.dumps([stripped(event) for event in found]))


def stripped_state(room: LiveRoom, place: Membership, user_id: str) -> list[Event]:
    """The events by which somebody who is invited recognises a room, with the membership itself."""
    found = [room.state[key] for key in (*_STRIPPED, ("m.room.member", place.sender)) if key in room.state]
    own = room.member(user_id)
    if own is not None and own not in found:
        found.append(own)
    return found
