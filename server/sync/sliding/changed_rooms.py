"""The short way of looking for news: only at the rooms that have changed.

Somebody in 500 rooms who is woken by a message in one of them must not pay for the other 499. Where a device asks
the same as before, and neither the user's places nor their account data have changed, then the lists hold the same
rooms as before, and only those with changes can have news. A window at the top of a list holds the same rooms, too, as
long as nothing is said in a room outside of it.
"""

from __future__ import annotations

from typing import Final

from server.sync.bell import Bell
from server.sync.feeds import Feed
from server.sync.request import World
from server.sync.sliding.asked import Wishes
from server.sync.sliding.cards import Cards
from server.sync.sliding.connections import Ground, Told
from server.sync.sliding.room_list import RoomLists, Sought

_MOST_ROOMS: Final = 100
# A room with a new state event of these types may move to other lists.
_DECIDING: Final = frozenset({"m.room.encryption", "m.room.create"})


class ChangedRooms:
    """Finds the rooms of a request that have changed."""

    def __init__(self, world: World, bell: Bell, cards: Cards, lists: RoomLists) -> None:
        self._world = world
        self._bell = bell
        self._cards = cards
        self._lists = lists

    def ground(self, feed: Feed, wishes: Wishes, sought: Sought) -> Ground | None:
        """What the lists stand on now; ``None`` where the short way cannot be gone."""
        windows: dict[str, frozenset[str]] = {}
        for name, wish in wishes.lists.items():
            if wish.filter.looks_far:
                return None
            if sought.counts[name] != len(sought.windows[name]):
                if wish.ranges is None or len(wish.ranges) != 1 or wish.ranges[0][0] != 0:
                    return None
                windows[name] = sought.shown_by(name)
        return Ground(feed.mark, self._world.own.account_data.last_position(feed.user_id), sought.direct, windows)

    def seek(self, feed: Feed, wishes: Wishes, told: Told) -> Sought | None:
        """The rooms that have changed since ``told``; ``None`` where one has to look at everything."""
        ground = told.ground
        if ground is None or ground.places != feed.mark:
            return None
        if ground.data != self._world.own.account_data.last_position(feed.user_id):
            return None
        changed = self._bell.rooms_since(told.token.stream, _MOST_ROOMS)
        if changed is None or not wishes.are_those_of(told.wishes):
            return None
        typing = self._world.typing
        if typing.position > told.token.typing:
            changed = [*changed, *typing.rooms_changed_after(told.token.typing)]
        sought = Sought({}, ground.direct, told.counts, {name: [] for name in wishes.lists})
        for room_id in dict.fromkeys(changed):
            if not self._add(room_id, feed, wishes, told, ground, sought):
                return None
        return sought

    def _add(
        self, room_id: str, feed: Feed, wishes: Wishes, told: Told, ground: Ground, sought: Sought
    ) -> bool:
        """Whether it is known for certain in which lists the room is; it is laid into ``sought`` then."""
        place = feed.places.get(room_id)
        if place is None:
            return True
        room = self._world.rooms.live(room_id)
        entries = None if room is None else room.entries_after(told.token.stream, 2**62)
        if room is None or entries is None or any(entry.event.type in _DECIDING for entry in entries):
            return False
        if place.membership != "join":
            return True  # what others do in rooms where one is not in is no news
        sought.places[room_id] = place
        card = self._cards.near(room)
        for name, wish in wishes.lists.items():
            if not self._lists.fits(wish, place, card, sought.direct):
                continue
            if name in ground.windows and room_id not in ground.windows[name]:
                if card.activity > told.token.stream:
                    return False  # the room comes in, and another one falls out
                continue
            sought.windows[name].append(room_id)
            sought.want(room_id, wish.room)
        named = wishes.rooms.get(room_id)
        if named is not None:
            sought.named.append(room_id)
            sought.want(room_id, named)
        return True
