"""What ``/sync`` says of the rooms that a user is in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import orjson

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import Membership
from server.sync.bell import Bell
from server.sync.request import SyncRequest, World, state_name
from server.sync.room_section import (
    RoomReader,
    Span,
    Stay,
    empty_timeline,
    members_of,
    moves_unseen,
    state_json,
    timeline_json,
    unread_json,
)
from server.sync.sent_members import SentMembers
from server.sync.summaries import Crowds
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_KEPT_SECTIONS: Final = 64
_MOMENT_MS: Final = 5_000


class JoinedRooms:
    """Makes the sections of ``rooms.join``."""

    def __init__(self, world: World, reader: RoomReader, bell: Bell) -> None:
        self._world = world
        self._reader = reader
        self._bell = bell
        self._sent_members = SentMembers()
        self._crowds = Crowds()
        self._masks: OrderedDict[tuple[str, int, int, int], int] = OrderedDict()
        # The part of a room's section that is the same for all who were equally far.
        self._shared: OrderedDict[tuple[str, int, int, bytes, bool, int], bytes] = OrderedDict()

    async def section(
        self, place: Membership, request: SyncRequest, now: SyncToken, data: list[Json]
    ) -> bytes | None:
        """What a room has to tell, with changed account data of it; ``None`` where there is nothing."""
        since = request.since
        room_id = place.room_id
        is_new = since is None or place.stream > since.stream
        whole = is_new or request.full_state
        typing = self._world.typing.changed_after(room_id, 0 if is_new or since is None else since.typing)
        if not whole and not self._bell.knows_room(room_id):
            await self._learn(room_id)
        if not whole and not data and not typing and self._bell.last_of_room(room_id) <= (since or now).stream:
            return None
        room = await self._world.rooms.get(room_id)
        parts = await self._whole_room(room, place, request, now) if whole else await self._news(room, request, now)
        ephemeral = await self._ephemeral(room, request, now, typing, is_new=is_new)
        if not parts and not ephemeral and not data:
            return None
        if not parts:
            parts = [b'"timeline":' + empty_timeline(now), state_name(request) + state_json([])]
        # Nothing is left out: there are clients that read all parts of a room without asking whether they are there.
        parts.append(b'"ephemeral":{"events":[%b]}' % b",".join(ephemeral))
        parts.append(b'"account_data":{"events":%b}' % orjson.dumps(data))
        unread = await self._world.unread.of(room, request.user_id, place.stream)
        parts.append(unread_json(unread, by_thread=request.filter.timeline.unread_by_thread))
        return b"{%b}" % b",".join(parts)

    async def _learn(self, room_id: str) -> None:
        """After a start it is not known which rooms have news; find out once for all who come back."""
        room = await self._world.rooms.get(room_id)
        book = await self._world.receipts.book(room_id)
        newest = room.timeline[-1].stream if room.timeline else 0
        self._bell.learn_room(room_id, max(newest, book.last_position))

    async def _whole_room(
        self, room: LiveRoom, place: Membership, request: SyncRequest, now: SyncToken
    ) -> list[bytes]:
        """A room at first sight, or newly joined: newest events, and the state before them (or after)."""
        viewer = request.viewer
        limit = request.filter.timeline_limit(request.since is None)
        sight = await self._world.sights.of(room, request.user_id)
        since = request.since
        if since is not None and place.stream <= since.stream:
            span = await self._reader.after(room, since.stream, now.stream, limit, sight, request.filter.timeline)
        else:
            span = await self._reader.newest(room, now.stream, limit, sight, request.filter.timeline)
        span = self._world.without_ignored(span, request.user_id)
        position = now.stream if request.state_after or not span.entries else span.entries[0].stream - 1
        state = await self._reader.state_at(room, position)
        shows_all = sight.sees_all and request.filter.timeline.wants_all and not moves_unseen(span)
        if not request.state_after and not shows_all:
            state = await self._reader.with_unseen(room, state, span, now.stream)
        current = await self._reader.state_at(room, now.stream)
        crowd = self._crowds.of(room.room_id, now.stream, current)
        events = list(state.values())
        if request.filter.state.lazy_members:
            events = [event for event in events if event.type != "m.room.member"]
            members = members_of(span, current, (request.user_id, *crowd.heroes(request.user_id)))
            fresh = self._sent_members.unsent(_place(request, room), members, None, now.stream)
            in_timeline = {entry.event.event_id for entry in span.entries}
            events += [event for event in fresh if request.state_after or event.event_id not in in_timeline]
        events = [event for event in events if request.filter.state.wants(event)]
        stay = Stay(place.stream)
        if span.entries and span.entries[0].stream < place.stream:
            stay = Stay(place.stream, await self._world.sights.memberships(room, request.user_id))
        return [
            b'"timeline":' + timeline_json(span, viewer, stay, self._reader.now_ms()),
            state_name(request) + state_json(events),
            b'"summary":' + orjson.dumps(crowd.summary(request.user_id)),
        ]

    async def _news(self, room: LiveRoom, request: SyncRequest, now: SyncToken) -> list[bytes]:
        """What happened in a room that the device knows."""
        assert request.since is not None
        sight = await self._world.sights.of(room, request.user_id)
        limit = request.filter.timeline_limit(False)
        span = await self._reader.after(
            room, request.since.stream, now.stream, limit, sight, request.filter.timeline
        )
        span = self._world.without_ignored(span, request.user_id)
        if not span.entries and not span.limited:
            return await self._state_only(room, request, now)
        shared = sight.sees_all and not self._world.ignored_by(request.user_id)
        if not span.limited and not any(entry.event.type == "m.room.member" for entry in span.entries):
            return [await self._timeline_and_state(room, span, request, now, (), shared=shared)]
        crowd = self._crowds.of(room.room_id, now.stream, await self._reader.state_at(room, now.stream))
        heroes = crowd.heroes(request.user_id)
        return [
            await self._timeline_and_state(room, span, request, now, heroes, shared=shared),
            b'"summary":' + orjson.dumps(crowd.summary(request.user_id)),
        ]

    async def _timeline_and_state(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken, heroes: Sequence[str], *, shared: bool
    ) -> bytes:
        """Made once for all who were equally far, unless something in it is for this device alone."""
        assert request.since is not None
        lazy = request.filter.state.lazy_members
        members = await self._lazy_members(room, span, request, now, heroes) if lazy else []
        if members or not shared or self._is_special(span, request):
            return await self._own_news(room, span, request, now, members)
        moment = self._reader.now_ms() // _MOMENT_MS  # ages are not to be those of an hour ago
        key = (room.room_id, request.since.stream, now.stream, request.filter.key, request.state_after, moment)
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = await self._own_news(room, span, request, now, [])
            if len(self._shared) > _KEPT_SECTIONS:
                self._shared.popitem(last=False)
        return known

    async def _state_only(self, room: LiveRoom, request: SyncRequest, now: SyncToken) -> list[bytes]:
        """The timeline filter left nothing, but the state may have changed all the same."""
        assert request.since is not None
        if request.filter.timeline.wants_all:
            return []
        changed = await self._reader.state_between(room, request.since.stream, now.stream)
        events = [event for event in changed.values() if request.filter.state.wants(event)]
        return [b'"timeline":' + empty_timeline(now), state_name(request) + state_json(events)] if events else []

    def _is_special(self, span: Span, request: SyncRequest) -> bool:
        return any(entry.is_special_for(request.user_id, request.device_id) for entry in span.entries)

    async def _own_news(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken, members: list[Event]
    ) -> bytes:
        assert request.since is not None
        # Who knows the room already was in it all the time.
        timeline = timeline_json(span, request.viewer, Stay(0), self._reader.now_ms())
        events = members
        # What the timeline's filter has left out must not be lost where it is state.
        whole = request.state_after or not request.filter.timeline.wants_all or moves_unseen(span)
        if span.limited or whole:
            in_timeline = set() if request.state_after else {entry.event.event_id for entry in span.entries}
            changed = await self._reader.state_between(room, request.since.stream, now.stream if whole else span.start)
            events = [event for event in changed.values() if event.event_id not in in_timeline]
            known = {event.event_id for event in events}
            events += [event for event in members if event.event_id not in known]
        events = [event for event in events if request.filter.state.wants(event)]
        return b'"timeline":%b,%b%b' % (timeline, state_name(request), state_json(events))

    async def _lazy_members(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken, heroes: Sequence[str]
    ) -> list[Event]:
        """Who speaks in the timeline, and after whom the room is named, as far as the device does not know them yet."""
        assert request.since is not None
        place, since = _place(request, room), request.since.stream
        wants_known = request.filter.state.redundant_members
        wanted = self._speakers(room, span) | (self._sent_members.mask(room.room_id, heroes) if heroes else 0)
        if not wants_known and self._sent_members.knows(place, wanted, since):
            return []
        members = members_of(span, await self._reader.state_at(room, now.stream), heroes)
        in_timeline = {entry.event.event_id for entry in span.entries}
        members = [event for event in members if event.event_id not in in_timeline]
        return members if wants_known else self._sent_members.unsent(place, members, since, now.stream)

    def _speakers(self, room: LiveRoom, span: Span) -> int:
        """Who speaks in a piece of timeline, as bits; the same piece goes to many."""
        if not span.entries:
            return 0
        key = (room.room_id, span.entries[0].stream, span.entries[-1].stream, len(span.entries))
        mask = self._masks.get(key)
        if mask is None:
            mask = self._sent_members.mask(room.room_id, {entry.event.sender for entry in span.entries})
            self._masks[key] = mask
            if len(self._masks) > _KEPT_SECTIONS:
                self._masks.popitem(last=False)
        return mask

    async def _ephemeral(
        self, room: LiveRoom, request: SyncRequest, now: SyncToken, typing: bool, *, is_new: bool
    ) -> list[bytes]:
        told: list[bytes] = []
        since = 0 if is_new or request.since is None else request.since.stream
        ignored = self._world.ignored_by(request.user_id)
        wanted = request.filter.ephemeral
        if wanted.wants_type("m.receipt"):
            book = await self._world.receipts.book(room.room_id)
            news = book.news(since, now.stream, request.user_id, ignored)
            if news:
                told.append(news)
        if typing and wanted.wants_type("m.typing"):
            typists = [user_id for user_id in self._world.typing.in_room(room.room_id) if user_id not in ignored]
            if typists or not is_new:
                told.append(orjson.dumps({"type": "m.typing", "content": {"user_ids": typists}}))
        return told


def _place(request: SyncRequest, room: LiveRoom) -> tuple[str, str, str]:
    return (request.user_id, request.device_id, room.room_id)
