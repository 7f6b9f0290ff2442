"""What a device is told of one room (MSC4186, "Room results")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from server.rooms.event import Event, StateKey
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry, state_bytes, stripped, text_of
from server.sync.bell import Bell
from server.sync.filters import NO_FILTER
from server.sync.other_rooms import stripped_state
from server.sync.request import World
from server.sync.room_section import RoomReader, Span, Stay, with_membership
from server.sync.sent_members import SentMembers
from server.sync.sliding.asked import RoomWish
from server.sync.sliding.cards import Cards
from server.sync.sliding.connections import NOTHING_UNREAD, ToldRoom, UnreadCount
from server.sync.sliding.look import Look, RoomNews
from server.sync.sliding.people import counts_and_heroes
from server.sync.sliding.plain_news import PlainNewsMaker
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_MEMBER: Final = "m.room.member"
# Of a room that was left one is in it since no position any more.
_NEVER: Final = 2**62
_NOTHING: Final = Span((), False, 0)


@dataclass(slots=True)
class _Found:
    """What was found in a room."""

    span: Span
    changed: Mapping[StateKey, Event]
    current: Mapping[StateKey, Event]
    is_expanded: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    gone: list[StateKey] = field(default_factory=list)


class RoomTeller:
    """Tells of rooms."""

    def __init__(self, world: World, reader: RoomReader, bell: Bell, cards: Cards) -> None:
        self._world = world
        self._reader = reader
        self._bell = bell
        self._cards = cards
        self._numbers = SentMembers()
        self._plain = PlainNewsMaker(cards, self._numbers)

    async def tell(self, look: Look) -> tuple[RoomNews | None, ToldRoom]:
        """The news of a room, ``None`` where there are none, and what the device knows with them."""
        known, place = look.known, look.place
        if place.membership in ("invite", "knock"):
            return await self._asked(look)
        if known is not None and not look.is_initial and not look.has_grown() and look.is_dm == known.is_dm:
            if self._bell.last_of_room(place.room_id) <= known.up_to:
                return None, known
            if place.membership != "join" and place.stream <= known.up_to:
                return None, known
        room = await self._world.rooms.get(place.room_id)
        if known is not None and not look.is_initial and known.wish.state == look.wish.state:
            plain = await self._told_to_all(room, look, known)
            if plain is not None:
                return plain
        if place.membership != "join" and not (await self._world.sights.of(room, look.user_id)).was_ever_in:
            return await self._declined(room, look)
        return await self._seen(room, look)

    async def _asked(self, look: Look) -> tuple[RoomNews | None, ToldRoom]:
        """An invitation, or a knock."""
        known, place = look.known, look.place
        if known is not None and known.membership == place.membership and place.stream <= known.up_to:
            if known.is_dm == look.is_dm:
                return None, known
        room = await self._world.rooms.get(place.room_id)
        shown: Json = {"initial": True, "bump_stamp": place.stream}
        if look.is_dm:
            shown["is_dm"] = True
        news = RoomNews(
            place.membership, shown, stripped=[stripped(event) for event in stripped_state(room, place, look.user_id)]
        )
        return news, ToldRoom(look.wish, look.now, place.membership, look.is_dm)

    async def _declined(self, room: LiveRoom, look: Look) -> tuple[RoomNews | None, ToldRoom]:
        """An invitation that was declined or taken back: no more than that."""
        place = look.place
        own = await self._reader.page_back(room, place.stream - 1, place.stream, 1)
        timeline = await self._timeline(room, look, own)
        state = [orjson.Fragment(state_bytes(entry.event)) for entry in own]
        shown: Json = {"bump_stamp": place.stream, "num_live": len(timeline), "limited": False}
        news = RoomNews(place.membership, shown, timeline, state, [stripped(entry.event) for entry in own])
        return news, ToldRoom(look.wish, look.now, place.membership)

    async def _told_to_all(self, room: LiveRoom, look: Look, known: ToldRoom) -> tuple[RoomNews, ToldRoom] | None:
        """Messages and nothing else, where this device sees them as all others do; ``None`` where it does not."""
        wish, user_id = look.wish, look.user_id
        if look.place.membership != "join" or look.is_dm != known.is_dm or wish.timeline_limit < 1:
            return None
        if wish.timeline_limit > known.wish.timeline_limit:
            return None
        news = self._plain.of(room, known.up_to, look.now, wish.timeline_limit)
        if news is None or news.first <= look.since or user_id in news.apart or (
            wish.state.lazy and news.speakers & ~known.members
        ):
            return None
        if not (await self._world.sights.of(room, user_id)).sees_all:
            return None
        ignored = self._world.own.account_data.ignored_by(user_id)
        if ignored and ignored & news.senders:
            return None
        unread = await self._unread(room, look)
        shown = {**news.shown, "notification_count": unread.notify, "highlight_count": unread.highlight}
        told = known._replace(wish=_larger(known.wish, wish), up_to=look.now, unread=unread)
        return RoomNews("join", shown, news.timeline, [], unread=unread, event_ids=news.event_ids), told

    async def _seen(self, room: LiveRoom, look: Look) -> tuple[RoomNews | None, ToldRoom]:
        found = await self._find(room, look)
        members = self._choose_state(room, look, found)
        unread = await self._unread(room, look)
        shown = self._facts(room, look, found)
        known = look.known
        is_news = bool(shown or found.span.entries or found.span.limited or found.events or found.gone)
        if not look.is_initial and known is not None and not is_news and unread == known.unread:
            return None, known._replace(wish=self._remembered(look, found), up_to=look.now)
        shown |= {"notification_count": unread.notify, "highlight_count": unread.highlight}
        self._stamp(room, look, shown)
        news = self._news(look, found, shown, await self._timeline(room, look, found.span.entries))
        news.unread = unread
        base = known if known is not None and not look.is_initial else ToldRoom(look.wish, 0)
        return news, base._replace(
            wish=self._remembered(look, found), up_to=look.now, membership=look.place.membership, is_dm=look.is_dm,
            unread=unread, members=members,
        )

    async def _find(self, room: LiveRoom, look: Look) -> _Found:
        """The timeline, what has changed of the state, and the state."""
        current = await self._reader.state_at(room, look.until)
        known, limit = look.known, look.wish.timeline_limit
        sight = await self._world.sights.of(room, look.user_id)
        wanted = NO_FILTER.timeline
        if known is None or look.is_initial:
            span = await self._reader.newest(room, look.until, limit, sight, wanted) if limit else _NOTHING
            return _Found(self._world.without_ignored(span, look.user_id), {}, current)
        changed = await self._reader.state_between(room, known.up_to, look.until)
        if limit > known.wish.timeline_limit:
            span = await self._reader.newest(room, look.until, limit, sight, wanted)
            if span.limited or len(span.entries) > known.wish.timeline_limit:
                return _Found(self._world.without_ignored(span, look.user_id), changed, current, is_expanded=True)
        span = await self._reader.after(room, known.up_to, look.until, limit, sight, wanted) if limit else _NOTHING
        return _Found(self._world.without_ignored(span, look.user_id), changed, current)

    def _choose_state(self, room: LiveRoom, look: Look, found: _Found) -> int:
        """Lay the wanted state into ``found``; answers the lazy members that the device knows then."""
        wish, known = look.wish.state, look.known
        events: list[Event] = []
        if known is None or look.is_initial:
            events += wish.of(found.current, look.user_id)
            members = 0
        else:
            members = known.members
            # What holds counts, and not what came last: where servers meet, a change may be taken back.
            wanted = [key for key in found.changed if wish.wants(key, look.user_id)]
            events += [found.current[key] for key in wanted if key in found.current]
            found.gone = [key for key in wanted if key not in found.current]
            if wish != known.wish.state:
                events += wish.beyond(known.wish.state, wish.of(found.current, look.user_id), look.user_id)
        if wish.lazy:
            lazy, members = self._lazy_members(room, found, members)
            events += lazy
        own = found.current.get((_MEMBER, look.user_id))
        if look.place.membership != "join" and own is not None:
            events.append(own)  # who has gone must hear of it, whatever was asked for
        found.events = {event.event_id: event for event in events}
        return members

    def _lazy_members(self, room: LiveRoom, found: _Found, members: int) -> tuple[list[Event], int]:
        """Who speaks or comes and goes in the timeline and is not known; changes of all, in a gap of those known."""
        wanted: dict[str, None] = {}
        for entry in found.span.entries:
            wanted[entry.event.sender] = None
            if entry.event.type == _MEMBER and entry.event.state_key is not None:
                wanted[entry.event.state_key] = None
        unknown = [user_id for user_id in wanted if not self._numbers.mask(room.room_id, (user_id,)) & members]
        moved = [key[1] for key in found.changed if key[0] == _MEMBER]
        if found.span.limited:
            moved = [user_id for user_id in moved if self._numbers.mask(room.room_id, (user_id,)) & members]
        told = [*unknown, *moved]
        events = [found.current[_MEMBER, user_id] for user_id in told if (_MEMBER, user_id) in found.current]
        return events, members | self._numbers.mask(room.room_id, told)

    async def _unread(self, room: LiveRoom, look: Look) -> UnreadCount:
        if look.place.membership != "join":
            return NOTHING_UNREAD
        unread = await self._world.unread.of(room, look.user_id, look.place.stream)
        return UnreadCount(unread.notify, unread.highlight, *unread.threads.get("main", (0, 0)))

    def _facts(self, room: LiveRoom, look: Look, found: _Found) -> Json:
        """Name, picture and people, as far as they are new."""
        initial = look.is_initial
        shown: Json = {"initial": True} if initial else {}
        for name, kind, key in (("name", "m.room.name", "name"), ("avatar", "m.room.avatar", "url")):
            if initial or (kind, "") in found.changed:
                event = found.current.get((kind, ""))
                text = text_of(event.content, key) if event is not None else ""
                if text or not initial:
                    shown[name] = text or None
        known = look.known
        if look.is_dm if initial or known is None else look.is_dm != known.is_dm:
            shown["is_dm"] = look.is_dm
        has_moves = initial or any(kind == _MEMBER for kind, _ in found.changed)
        if has_moves or "name" in shown:
            shown |= counts_and_heroes(found.current, look.user_id, named=_has_name(found.current))
        if look.place.membership != "join":
            shown.pop("joined_count", None)
            shown.pop("invited_count", None)
        return shown

    def _stamp(self, room: LiveRoom, look: Look, shown: Json) -> None:
        """Where the room stands in the order of clients; for who is not in it, since when that is so."""
        joined = look.place.membership == "join"
        stamp = self._cards.bump_stamp(room) if joined else look.place.stream
        if look.is_initial or look.known is None or not joined or stamp > look.known.up_to:
            shown["bump_stamp"] = stamp

    async def _timeline(self, room: LiveRoom, look: Look, entries: Sequence[Entry]) -> list[orjson.Fragment]:
        """Events as this device sees them, each with what the user was in the room then."""
        since = look.place.stream if look.place.membership == "join" else _NEVER
        stay = Stay(since)
        if entries and entries[0].stream < since:
            stay = Stay(since, await self._world.sights.memberships(room, look.user_id))
        return [
            orjson.Fragment(with_membership(entry.bytes_for(look.user_id, look.device_id), stay.at(entry.stream)))
            for entry in entries
        ]

    def _news(self, look: Look, found: _Found, shown: Json, timeline: list[orjson.Fragment]) -> RoomNews:
        span = found.span
        if look.wish.timeline_limit:
            shown["limited"] = span.limited
            shown["prev_batch"] = str(SyncToken(span.start))
            shown["num_live"] = sum(entry.stream > look.since for entry in span.entries) if look.since else 0
        return RoomNews(
            look.place.membership, shown, timeline,
            [orjson.Fragment(state_bytes(event)) for event in found.events.values()],
            gone=found.gone, is_expanded=found.is_expanded,
            event_ids=frozenset(entry.event.event_id for entry in span.entries),
        )

    def _remembered(self, look: Look, found: _Found) -> RoomWish:
        """What the device has: as many events as were ever asked for, unless a gap lies between."""
        known, wish = look.known, look.wish
        if known is None or look.is_initial or found.span.limited or wish.timeline_limit == 0:
            return wish
        return _larger(known.wish, wish)


def _larger(known: RoomWish, wish: RoomWish) -> RoomWish:
    """``wish`` with the larger of both limits; mostly one of both, so that a look says that they are the same."""
    if wish.timeline_limit >= known.timeline_limit:
        return wish
    return known if known.state == wish.state else RoomWish(known.timeline_limit, wish.state)


def _has_name(state: Mapping[StateKey, Event]) -> bool:
    event = state.get(("m.room.name", ""))
    return event is not None and bool(text_of(event.content, "name"))
