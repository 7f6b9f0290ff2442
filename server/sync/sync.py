"""``/sync``: one answer for one device (spec: "Syncing").

A device that is up to date costs no SQL: a few look-ups say that nothing concerns its user. What a room has to tell
is made once for all members who were equally far.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from server.accounts.accounts import Accounts
from server.foundation.clock import Clock
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.rooms.state_store import Membership
from server.rooms.timeline import stripped
from server.rooms.typing import Typing
from server.rooms.visibility import SEES_ALL, Sights
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.device_lists import DeviceListNews
from server.sync.feeds import Feed, Feeds
from server.sync.filters import Filter
from server.sync.room_section import (
    RoomReader,
    Span,
    Viewer,
    members_of,
    state_json,
    summary,
    timeline_json,
    unread_json,
)
from server.sync.sent_members import SentMembers
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_LONGEST_WAIT_MS: Final = 120_000
_KEPT_SECTIONS: Final = 64
_STRIPPED: Final = (
    ("m.room.create", ""), ("m.room.name", ""), ("m.room.avatar", ""), ("m.room.topic", ""),
    ("m.room.join_rules", ""), ("m.room.canonical_alias", ""), ("m.room.encryption", ""),
)


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


class Sync:
    """Answers ``/sync``."""

    def __init__(
        self, database: Database, world: World, reader: RoomReader, feeds: Feeds, bell: Bell,
        positions: StreamPositions, clock: Clock,
    ) -> None:
        self._lists = DeviceListNews(database, world.rooms, reader, world.own, bell)
        self._world = world
        self._reader = reader
        self._feeds = feeds
        self._bell = bell
        self._positions = positions
        self._clock = clock
        self._stopping = False
        self._sent_members = SentMembers()
        self._masks: OrderedDict[tuple[str, int, int, int], int] = OrderedDict()
        # The part of a room's section that is the same for all who were equally far.
        self._shared: OrderedDict[tuple[str, int, int, Filter, bool], bytes] = OrderedDict()

    async def answer(self, request: SyncRequest) -> bytes:
        """The answer as JSON bytes; waits up to ``timeout_ms`` for something new."""
        since = request.since
        if since is not None:
            await self._world.own.acknowledge_to_device(request.user_id, request.device_id, since.stream)
        deadline = self._clock.monotonic() + min(request.timeout_ms, _LONGEST_WAIT_MS) / 1000
        while True:
            feed: Feed | None = None
            if since is None or request.full_state or await self._may_have_news(request.user_id, since):
                feed = (await self._feeds.of(request.user_id)).as_it_is()
            # Taken in the same moment as the feed, so that all places in it are known at this position.
            now = self._now()
            parts = await self._parts(request, feed, now) if feed is not None else []
            left = deadline - self._clock.monotonic()
            if parts or since is None or request.full_state or left <= 0 or self._stopping:
                parts.append(await self._keys_part(request))
                return b'{"next_batch":"%b",%b}' % (str(now).encode(), b",".join(parts))
            if self._has_moved_on(request.user_id, now):
                continue  # something was committed while we looked, and its bell has rung already
            await self._bell.wait(request.user_id, left)

    async def device_lists(self, request: SyncRequest, until: SyncToken) -> Json:
        """Whose devices have changed since ``request.since``, and who shares no room any more (``keys/changes``)."""
        since = request.since.stream if request.since else 0
        lists = await self._lists.between(await self._feeds.of(request.user_id), since, until.stream)
        return lists or {"changed": [], "left": []}

    def stop_waiting(self) -> None:
        """The node stops: answer everybody now."""
        self._stopping = True
        self._bell.wake_all()

    def _now(self) -> SyncToken:
        return SyncToken(self._positions.current, self._world.typing.position)

    async def _may_have_news(self, user_id: str, since: SyncToken) -> bool:
        """Whether it is worth looking. Somebody's devices may have changed without the bell having rung yet."""
        if self._bell.last_of_user(user_id) > since.stream or self._bell.last_typing(user_id) > since.typing:
            return True
        return bool(await self._world.own.device_changes_since(since.stream, self._positions.current))

    def _has_moved_on(self, user_id: str, now: SyncToken) -> bool:
        return self._bell.last_of_user(user_id) > now.stream or self._bell.last_typing(user_id) > now.typing

    async def _parts(self, request: SyncRequest, feed: Feed, now: SyncToken) -> list[bytes]:
        start = request.since.stream if request.since else 0
        own, by_room = await self._world.own.account_data_since(request.user_id, start, now.stream)
        parts = [await self._rooms_part(request, feed, now, by_room)]
        if own:
            parts.append(b'"account_data":{"events":%b}' % orjson.dumps(_wanted(own, request)))
        messages, _ = await self._world.own.to_device_for(
            request.user_id, request.device_id, start, now.stream, 100
        )
        if messages:
            parts.append(b'"to_device":{"events":%b}' % orjson.dumps(messages))
        lists = await self._lists.between(feed, start, now.stream) if request.since else None
        if lists is not None:
            parts.append(b'"device_lists":%b' % orjson.dumps(lists))
        return [part for part in parts if part]

    async def _rooms_part(
        self, request: SyncRequest, feed: Feed, now: SyncToken, data: dict[str, list[Json]]
    ) -> bytes:
        sections: dict[bytes, list[bytes]] = {b"join": [], b"invite": [], b"knock": [], b"leave": []}
        for place in feed.places.values():
            if not request.filter.wants_room(place.room_id):
                continue
            kind = _KIND.get(place.membership, b"leave")
            section = await self._section(kind, place, request, now, data.get(place.room_id, []))
            if section is not None:
                sections[kind].append(b"%b:%b" % (orjson.dumps(place.room_id), section))
        told = [b'"%b":{%b}' % (kind, b",".join(found)) for kind, found in sections.items() if found]
        return b'"rooms":{%b}' % b",".join(told) if told else b""

    async def _section(
        self, kind: bytes, place: Membership, request: SyncRequest, now: SyncToken, data: list[Json]
    ) -> bytes | None:
        if kind == b"join":
            return await self._joined(place, request, now, data)
        since = request.since
        is_news = since is None or place.stream > since.stream
        if kind == b"leave":
            if (since is None and not request.filter.include_leave and not request.full_state) or not is_news:
                return None
            if request.full_state and since is not None and place.stream <= since.stream:
                return None
            return await self._left(place, request)
        return await self._asked(kind, place, request) if is_news or request.full_state else None

    async def _joined(
        self, place: Membership, request: SyncRequest, now: SyncToken, data: list[Json]
    ) -> bytes | None:
        since = request.since
        room_id = place.room_id
        whole = since is None or place.stream > since.stream or request.full_state
        typing = self._world.typing.changed_after(room_id, since.typing if since else 0)
        if not whole and not data and not typing and self._bell.last_of_room(room_id) <= (since or now).stream:
            return None
        room = await self._world.rooms.get(room_id)
        parts = await self._whole_room(room, place, request, now) if whole else await self._news(room, request, now)
        ephemeral = await self._ephemeral(room, request, now, typing)
        if not parts and not ephemeral and not data:
            return None
        if ephemeral:
            parts.append(b'"ephemeral":{"events":[%b]}' % b",".join(ephemeral))
        if data:
            parts.append(b'"account_data":{"events":%b}' % orjson.dumps(data))
        unread = await self._world.unread.of(room, request.user_id, place.stream)
        parts.append(unread_json(unread, by_thread=request.filter.timeline.unread_by_thread))
        return b"{%b}" % b",".join(parts)

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
        span = self._without_ignored(span, request)
        position = now.stream if request.state_after or not span.entries else span.entries[0].stream - 1
        state = await self._reader.state_at(room, position)
        events = list(state.values())
        if request.filter.state.lazy_members:
            events = [event for event in events if event.type != "m.room.member"]
            members = members_of(span, await self._reader.state_at(room, now.stream), (request.user_id,))
            fresh = self._sent_members.unsent(_place(request, room), members, None, now.stream)
            in_timeline = {entry.event.event_id for entry in span.entries}
            events += [event for event in fresh if request.state_after or event.event_id not in in_timeline]
        events = [event for event in events if request.filter.state.wants(event)]
        current = await self._reader.state_at(room, now.stream)
        return [
            b'"timeline":' + timeline_json(span, viewer),
            _state_name(request) + state_json(events),
            b'"summary":' + orjson.dumps(summary(room, request.user_id, current)),
        ]

    async def _news(self, room: LiveRoom, request: SyncRequest, now: SyncToken) -> list[bytes]:
        """What happened in a room that the device knows."""
        assert request.since is not None
        sight = await self._world.sights.of(room, request.user_id)
        limit = request.filter.timeline_limit(False)
        span = await self._reader.after(
            room, request.since.stream, now.stream, limit, sight, request.filter.timeline
        )
        span = self._without_ignored(span, request)
        if not span.entries and not span.limited:
            return await self._state_only(room, request, now)
        parts = [await self._timeline_and_state(room, span, request, now, shared=sight is SEES_ALL)]
        if span.limited or any(entry.event.type == "m.room.member" for entry in span.entries):
            state = await self._reader.state_at(room, now.stream)
            parts.append(b'"summary":' + orjson.dumps(summary(room, request.user_id, state)))
        return parts

    def _without_ignored(self, span: Span, request: SyncRequest) -> Span:
        """Leave out what ignored users have said, but not what they did to the room (spec: "Ignoring Users")."""
        ignored = self._world.own.account_data.ignored_by(request.user_id)
        if not ignored:
            return span
        kept = [
            entry for entry in span.entries
            if entry.event.state_key is not None or entry.event.sender not in ignored
        ]
        return span._replace(entries=kept)

    async def _timeline_and_state(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken, *, shared: bool
    ) -> bytes:
        """Made once for all who were equally far, unless something in it is for this device alone."""
        assert request.since is not None
        lazy = request.filter.state.lazy_members
        members = await self._lazy_members(room, span, request, now) if lazy else []
        ignores = bool(self._world.own.account_data.ignored_by(request.user_id))
        if members or ignores or not shared or self._is_special(span, request):
            return await self._own_news(room, span, request, now, members)
        key = (room.room_id, request.since.stream, now.stream, request.filter, request.state_after)
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
        return [_state_name(request) + state_json(events)] if events else []

    def _is_special(self, span: Span, request: SyncRequest) -> bool:
        return any(entry.is_special_for(request.user_id, request.device_id) for entry in span.entries)

    async def _own_news(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken, members: list[Event]
    ) -> bytes:
        assert request.since is not None
        parts = [b'"timeline":' + timeline_json(span, request.viewer)]
        events = members
        if span.limited or request.state_after or not request.filter.timeline.wants_all:
            # What the timeline's filter has left out must not be lost where it is state.
            whole = request.state_after or not request.filter.timeline.wants_all
            in_timeline = set() if request.state_after else {entry.event.event_id for entry in span.entries}
            changed = await self._reader.state_between(room, request.since.stream, now.stream if whole else span.start)
            events = [event for event in changed.values() if event.event_id not in in_timeline]
            known = {event.event_id for event in events}
            events += [event for event in members if event.event_id not in known]
        events = [event for event in events if request.filter.state.wants(event)]
        if events or request.state_after:
            parts.append(_state_name(request) + state_json(events))
        return b",".join(parts)

    async def _lazy_members(
        self, room: LiveRoom, span: Span, request: SyncRequest, now: SyncToken
    ) -> list[Event]:
        """Who speaks in the timeline, as far as the device does not know them yet."""
        assert request.since is not None
        place, since = _place(request, room), request.since.stream
        wants_known = request.filter.state.redundant_members
        if not wants_known and self._sent_members.knows(place, self._speakers(room, span), since):
            return []
        members = members_of(span, await self._reader.state_at(room, now.stream))
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

    async def _left(self, place: Membership, request: SyncRequest) -> bytes:
        """A room that was left, up to the moment of leaving."""
        room = await self._world.rooms.get(place.room_id)
        sight = await self._world.sights.of(room, request.user_id)
        own = await self._reader.page_back(room, place.stream - 1, place.stream, 1)
        if not sight.was_ever_in:
            # Somebody who has only declined an invitation is told no more of the room than that.
            return _left_json(Span(own, False, place.stream - 1), request, [])
        since = request.since.stream if request.since else 0
        limit = request.filter.timeline_limit(request.since is None)
        if request.since is None:
            span = await self._reader.newest(room, place.stream, limit, sight, request.filter.timeline)
        else:
            span = await self._reader.after(room, since, place.stream, limit, sight, request.filter.timeline)
        if not any(entry.stream == place.stream for entry in span.entries):
            span = span._replace(entries=[*span.entries, *own])
        span = self._without_ignored(span, request)
        position = span.entries[0].stream - 1 if span.entries and not request.state_after else place.stream
        if request.since is None or request.full_state:
            state = await self._reader.state_at(room, position)
        else:
            state = await self._reader.state_between(room, since, position)
        return _left_json(span, request, [event for event in state.values() if request.filter.state.wants(event)])

    async def _asked(self, kind: bytes, place: Membership, request: SyncRequest) -> bytes | None:
        """An invitation or a knock: stripped state with the membership itself."""
        room = await self._world.rooms.get(place.room_id)
        if place.sender in self._world.own.account_data.ignored_by(request.user_id):
            return None
        found = [room.state[key] for key in (*_STRIPPED, ("m.room.member", place.sender)) if key in room.state]
        own = room.member(request.user_id)
        if own is not None and own not in found:
            found.append(own)
        name = b"invite_state" if kind == b"invite" else b"knock_state"
        return b'{"%b":{"events":%b}}' % (name, orjson.dumps([stripped(event) for event in found]))

    async def _ephemeral(
        self, room: LiveRoom, request: SyncRequest, now: SyncToken, typing: bool
    ) -> list[bytes]:
        told: list[bytes] = []
        since = request.since.stream if request.since else 0
        wanted = request.filter.ephemeral
        if wanted.wants_type("m.receipt"):
            book = await self._world.receipts.book(room.room_id)
            news = book.news(since, now.stream, request.user_id)
            if news:
                told.append(news)
        if typing and wanted.wants_type("m.typing"):
            typists = self._world.typing.in_room(room.room_id)
            if typists or request.since is not None:
                told.append(orjson.dumps({"type": "m.typing", "content": {"user_ids": typists}}))
        return told

    async def _keys_part(self, request: SyncRequest) -> bytes:
        counts, fallbacks = await self._world.own.key_counts(request.user_id, request.device_id)
        shown = orjson.dumps({"signed_curve25519": 0, **counts})
        unused = orjson.dumps(fallbacks)
        return (
            b'"device_one_time_keys_count":%b,"device_unused_fallback_key_types":%b,'
            b'"org.matrix.msc2732.device_unused_fallback_key_types":%b' % (shown, unused, unused)
        )


_KIND: Final = {"join": b"join", "invite": b"invite", "knock": b"knock"}


def _left_json(span: Span, request: SyncRequest, events: list[Event]) -> bytes:
    return b'{"timeline":%b,%b%b}' % (timeline_json(span, request.viewer), _state_name(request), state_json(events))


def _place(request: SyncRequest, room: LiveRoom) -> tuple[str, str, str]:
    return (request.user_id, request.device_id, room.room_id)


def _state_name(request: SyncRequest) -> bytes:
    return b'"state_after":' if request.state_after else b'"state":'


def _wanted(events: list[Json], request: SyncRequest) -> list[Json]:
    return [event for event in events if request.filter.account_data.wants_type(str(event["type"]))]
