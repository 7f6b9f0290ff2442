"""Which rooms a request is about: lists, their windows, and rooms asked for by name (MSC4186)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from server.rooms.state_store import Membership
from server.sync.feeds import Feed
from server.sync.request import World
from server.sync.sliding.asked import Asked, RoomFilter, RoomWish, Scope
from server.sync.sliding.cards import Card, Cards
from server.sync.sliding.connections import Told

_KEPT: Final = 10_000
_HERE: Final = ("join", "invite", "knock")


@dataclass(slots=True)
class Sought:
    """What a request is about. ``places`` has every room that the user may be told of."""

    places: dict[str, Membership]
    direct: frozenset[str]
    counts: dict[str, int] = field(default_factory=dict)
    windows: dict[str, list[str]] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    wishes: dict[str, RoomWish] = field(default_factory=dict)

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
        self._direct: OrderedDict[str, tuple[int, frozenset[str]]] = OrderedDict()
        self._was_in: OrderedDict[tuple[str, str, int], bool] = OrderedDict()

    async def seek(self, feed: Feed, asked: Asked, told: Told) -> Sought:
        """The rooms that a request is about, as the feed stands."""
        places = await self._places(feed)
        sought = Sought(places, await self._direct_rooms(feed.user_id))
        if asked.lists:
            cards = await self._cards.of(places)
            order = sorted(cards, key=lambda room_id: _activity(places[room_id], cards[room_id]), reverse=True)
            for name, wish in asked.lists.items():
                children = await self._children(wish.filter, places)
                shown = [room for room in order if _fits(wish.filter, places[room], cards[room], sought, children)]
                window = shown if wish.ranges is None else _cut(shown, wish.ranges)
                sought.counts[name], sought.windows[name] = len(shown), window
                for room_id in window:
                    sought.want(room_id, wish.room)
        await self._add_named(feed, asked, sought)
        self._add_farewells(feed, told, sought)
        return sought

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

    async def _direct_rooms(self, user_id: str) -> frozenset[str]:
        """The rooms of the user's ``m.direct``; read again only after a change of account data."""
        data = self._world.own.account_data
        position = data.last_position(user_id)
        known = self._direct.get(user_id)
        if known is None or known[0] != position:
            rooms: frozenset[str] = frozenset()
            if position:
                items = await data.between(user_id, 0, position)
                rooms = _rooms_in([item.content for item in items if item.type == "m.direct" and not item.room_id])
            known = self._direct[user_id] = (position, rooms)
            if len(self._direct) > _KEPT:
                self._direct.popitem(last=False)
        return known[1]

    async def _children(self, wanted: RoomFilter, places: Mapping[str, Membership]) -> frozenset[str] | None:
        """The rooms of the spaces that a filter names, as far as the user is in them; ``None`` without such."""
        if wanted.spaces is None:
            return None
        found: set[str] = set()
        for space_id in wanted.spaces:
            place = places.get(space_id)
            if place is not None and place.membership == "join":
                space = await self._world.rooms.get(space_id)
                found.update(key for (kind, key), event in space.state.items()
                             if kind == "m.space.child" and event.content.get("via"))
        return frozenset(found)

    async def _add_named(self, feed: Feed, asked: Asked, sought: Sought) -> None:
        """Rooms asked for by name. Those that are none of the user's are passed over (MSC4186, "Subscriptions")."""
        for room_id, wish in asked.rooms.items():
            place = sought.places.get(room_id) or feed.places.get(room_id)
            if place is None or not await self._cards.of([room_id]):
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
            place = feed.places.get(room_id)
            if place is not None and place.membership not in _HERE and place.stream > known.up_to:
                sought.places.setdefault(room_id, place)
                sought.want(room_id, known.wish)


def _activity(place: Membership, card: Card) -> int:
    return card.activity if place.membership == "join" else place.stream


def _cut(rooms: list[str], ranges: tuple[tuple[int, int], ...]) -> list[str]:
    return list(dict.fromkeys(room_id for first, last in ranges for room_id in rooms[first:last + 1]))


def _fits(
    wanted: RoomFilter, place: Membership, card: Card, sought: Sought, children: frozenset[str] | None
) -> bool:
    room_id = place.room_id
    if wanted.is_dm is not None and (room_id in sought.direct) is not wanted.is_dm:
        return False
    if wanted.is_encrypted is not None and card.is_encrypted is not wanted.is_encrypted:
        return False
    if wanted.is_invite is not None and (place.membership == "invite") is not wanted.is_invite:
        return False
    if card.room_type in wanted.not_room_types or (children is not None and room_id not in children):
        return False
    return wanted.room_types is None or card.room_type in wanted.room_types


def _rooms_in(contents: list[bytes]) -> frozenset[str]:
    """The room ids in contents of ``m.direct``: user ids with lists of them, if the client wrote what it should."""
    found: set[str] = set()
    for content in contents:
        by_user = orjson.loads(content)
        for rooms in by_user.values() if isinstance(by_user, dict) else ():
            if isinstance(rooms, list):
                found.update(room_id for room_id in rooms if isinstance(room_id, str))
    return frozenset(found)
