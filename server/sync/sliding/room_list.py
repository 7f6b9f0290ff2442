"""Which rooms a request is about: lists, their windows, and rooms asked for by name (MSC4186)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from server.accounts.account_data_store import AccountDataItem
from server.rooms.membership_store import Membership
from server.sync.feeds import Feed
from server.sync.request import World
from server.sync.sliding.asked import ListWish, RoomFilter, RoomWish, Scope, Wishes
from server.sync.sliding.cards import Card, Cards
from server.sync.sliding.connections import Told

_KEPT: Final = 10_000
_HERE: Final = ("join", "invite", "knock")


class OwnNotes(NamedTuple):
    """What a user has noted of their rooms in account data: which are direct chats, and their tags."""

    direct: frozenset[str] = frozenset()
    tags: Mapping[str, frozenset[str]] = MappingProxyType({})


@dataclass(slots=True)
class Sought:
    """What a request is about. ``places`` has every room that the user may be told of."""

    places: dict[str, Membership]
    direct: frozenset[str]
    counts: Mapping[str, int] = field(default_factory=dict)
    windows: dict[str, list[str]] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    wishes: dict[str, RoomWish] = field(default_factory=dict)
    _shown: dict[str, frozenset[str]] = field(default_factory=dict)

    def lists_of(self, room_id: str) -> list[str]:
        """The names of the lists that show a room."""
        return [name for name in self.windows if room_id in self.shown_by(name)]

    def shown_by(self, name: str) -> frozenset[str]:
        """The rooms in a window as a set. To be asked when the windows do not change any more."""
        if name not in self._shown:
            self._shown[name] = frozenset(self.windows[name])
        return self._shown[name]

    def want(self, room_id: str, wish: RoomWish) -> None:
        """One more reason to tell of a room."""
        known = self.wishes.get(room_id)
        self.wishes[room_id] = wish if known is None else known.with_also(wish)

    def rooms_of(self, scope: Scope) -> list[str]:
        """The rooms for which an extension is wanted."""
        lists = self.windows if scope.lists is None else [name for name in self.windows if name in scope.lists]
        named = [room_id for room_id in self.named if scope.rooms is None or room_id in scope.rooms]
        return list(dict.fromkeys([room_id for name in lists for room_id in self.windows[name]] + named))


class RoomLists:
    """Finds the rooms of requests."""

    def __init__(self, world: World, cards: Cards) -> None:
        self._world = world
        self._cards = cards
        self._notes: OrderedDict[str, tuple[int, OwnNotes]] = OrderedDict()
        self._was_in: OrderedDict[tuple[str, str, int], bool] = OrderedDict()

    async def seek(self, feed: Feed, wishes: Wishes, told: Told) -> Sought:
        """The rooms that a request is about, as the feed stands."""
        places = await self._places(feed)
        notes = await self._notes_of(feed.user_id)
        sought = Sought(places, notes.direct)
        if wishes.lists:
            outlined = any(wish.filter.looks_inside for wish in wishes.lists.values())
            cards = await self._cards.of(places, outlined=outlined)
            order = _in_order(places, cards)
            sought.counts = counts = {}
            for name, wish in wishes.lists.items():
                shown = await self._shown(wish.filter, order, cards, sought, notes)
                counts[name], sought.windows[name] = len(shown), shown if wish.ranges is None else _cut(shown, wish)
                for room_id in sought.windows[name]:
                    sought.want(room_id, wish.room)
        await self._add_named(feed, wishes, sought)
        self._add_farewells(feed, told, sought)
        return sought

    def fits(self, wish: ListWish, place: Membership, card: Card, direct: frozenset[str]) -> bool:
        """Whether a list shows a room, as far as the room itself decides."""
        return _fits(wish.filter, place, card, direct)

    async def _shown(
        self, wanted: RoomFilter, order: list[str], cards: Mapping[str, Card], sought: Sought, notes: OwnNotes
    ) -> list[str]:
        """The rooms of a list, the liveliest first."""
        places = sought.places
        shown = [room for room in order if _fits(wanted, places[room], cards[room], sought.direct)]
        if not wanted.looks_far:
            return shown
        if wanted.tags is not None or wanted.not_tags:
            shown = [room for room in shown if _has_tags(wanted, notes.tags.get(room, frozenset()))]
        if wanted.spaces is not None:
            children = await self._children(wanted.spaces, places)
            shown = [room for room in shown if room in children]
        if wanted.name_like is not None:
            names = await self._cards.names_of(shown)
            piece = wanted.name_like.casefold()
            shown = [room for room in shown if piece in names.get(room, "").casefold()]
        return shown

    async def _places(self, feed: Feed) -> dict[str, Membership]:
        """Rooms that lists may show: also those from which the user was removed by others, but not those left."""
        ignored = self._world.own.account_data.ignored_by(feed.user_id)
        found: dict[str, Membership] = {}
        for room_id, place in feed.places.items():
            if place.membership in _HERE:
                if place.membership != "invite" or place.sender not in ignored:
                    found[room_id] = place
            elif place.sender != feed.user_id and await self._was_ever_in(feed.user_id, place):
                found[room_id] = place
        return found

    async def _was_ever_in(self, user_id: str, place: Membership) -> bool:
        key = (user_id, place.room_id, place.stream)
        known = self._was_in.get(key)
        if known is None:
            room = await self._world.rooms.find(place.room_id)
            known = room is not None and (await self._world.sights.of(room, user_id)).was_ever_in
            self._was_in[key] = known
            if len(self._was_in) > _KEPT:
                self._was_in.popitem(last=False)
        return known

    async def _notes_of(self, user_id: str) -> OwnNotes:
        """The user's ``m.direct`` and ``m.tag``; read again only after a change of account data."""
        data = self._world.own.account_data
        position = data.last_position(user_id)
        known = self._notes.get(user_id)
        if known is None or known[0] != position:
            notes = OwnNotes()
            if position:
                notes = _read_notes(await data.between(user_id, 0, position))
            known = self._notes[user_id] = (position, notes)
            if len(self._notes) > _KEPT:
                self._notes.popitem(last=False)
        return known[1]

    async def _children(self, spaces: tuple[str, ...], places: Mapping[str, Membership]) -> frozenset[str]:
        """The rooms of these spaces, as far as the user is in them."""
        found: set[str] = set()
        for space_id in spaces:
            place = places.get(space_id)
            space = None
            if place is not None and place.membership == "join":
                space = await self._world.rooms.find(space_id)
            if space is not None:
                found.update(key for (kind, key), event in space.state.items()
                             if kind == "m.space.child" and event.content.get("via"))
        return frozenset(found)

    async def _add_named(self, feed: Feed, wishes: Wishes, sought: Sought) -> None:
        """Rooms asked for by name. Those that are none of the user's are passed over (MSC4186, "Subscriptions")."""
        for room_id, wish in wishes.rooms.items():
            place = sought.places.get(room_id) or feed.places.get(room_id)
            if place is None or not await self._cards.of([room_id], outlined=False):
                continue
            if room_id not in sought.places:
                if place.membership in _HERE or not await self._was_ever_in(feed.user_id, place):
                    continue
                sought.places[room_id] = place
            sought.named.append(room_id)
            sought.want(room_id, wish)

    def _add_farewells(self, feed: Feed, told: Told, sought: Sought) -> None:
        """Rooms that the device knows and the user has left since: it is told once, whatever it asks for."""
        for room_id, known in told.rooms.items():
            place = feed.place_of(room_id)
            if place is not None and place.membership not in _HERE and place.stream > known.up_to:
                sought.places.setdefault(room_id, place)
                sought.want(room_id, known.wish)


def _in_order(places: Mapping[str, Membership], cards: Mapping[str, Card]) -> list[str]:
    """The liveliest first; where one is not in, what happened to oneself counts."""
    activity = {
        room_id: card.activity if (place := places[room_id]).membership == "join" else place.stream
        for room_id, card in cards.items()
    }
    return sorted(activity, key=activity.__getitem__, reverse=True)


def _cut(rooms: list[str], wish: ListWish) -> list[str]:
    ranges = wish.ranges or ()
    if len(ranges) == 1:
        return rooms[ranges[0][0]:ranges[0][1] + 1]
    return list(dict.fromkeys(room_id for first, last in ranges for room_id in rooms[first:last + 1]))


def _fits(wanted: RoomFilter, place: Membership, card: Card, direct: frozenset[str]) -> bool:
    if wanted.is_dm is not None and (place.room_id in direct) is not wanted.is_dm:
        return False
    if wanted.is_invite is not None and (place.membership == "invite") is not wanted.is_invite:
        return False
    outline = card.outline
    if outline is None or not wanted.looks_inside:
        return not wanted.looks_inside
    if wanted.is_encrypted is not None and outline.is_encrypted is not wanted.is_encrypted:
        return False
    if outline.room_type in wanted.not_room_types:
        return False
    return wanted.room_types is None or outline.room_type in wanted.room_types


def _has_tags(wanted: RoomFilter, tags: frozenset[str]) -> bool:
    return not (wanted.not_tags & tags) and (wanted.tags is None or bool(wanted.tags & tags))


def _read_notes(items: list[AccountDataItem]) -> OwnNotes:
    """Rooms and tags, as far as the clients wrote what they should."""
    direct: set[str] = set()
    tags: dict[str, frozenset[str]] = {}
    for item in items:
        if item.type == "m.direct" and not item.room_id:
            by_user = orjson.loads(item.content)
            for rooms in by_user.values() if isinstance(by_user, dict) else ():
                if isinstance(rooms, list):
                    direct.update(room_id for room_id in rooms if isinstance(room_id, str))
        elif item.type == "m.tag" and item.room_id:
            given = orjson.loads(item.content).get("tags")
            tags[item.room_id] = frozenset(given) if isinstance(given, dict) else frozenset()
    return OwnNotes(frozenset(direct), tags)
