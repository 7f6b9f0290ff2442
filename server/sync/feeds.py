"""Which rooms a user is in, in memory for those who sync."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import Membership, memberships_of
from server.rooms.timeline import Entry
from server.storage.database import Database
from server.storage.streams import StreamPositions

_KEPT_USERS: Final = 4_000
_marks: Final = itertools.count(1)


@dataclass(slots=True)
class Feed:
    """One user's places, by room id, with the rooms that they have left.

    ``forgotten`` are left rooms that nothing shows any more; that they were left is still news for other devices.
    """

    user_id: str
    places: dict[str, Membership] = field(default_factory=dict)
    forgotten: dict[str, Membership] = field(default_factory=dict)
    # Another one after every change; no two feeds ever share one.
    mark: int = field(default_factory=lambda: next(_marks))

    def as_it_is(self) -> Feed:
        """A copy that does not change while an answer is made from it."""
        return Feed(self.user_id, dict(self.places), dict(self.forgotten), self.mark)

    def set(self, place: Membership) -> None:
        """A newer place in a room."""
        kept, other = (self.forgotten, self.places) if place.forgotten else (self.places, self.forgotten)
        kept[place.room_id] = place
        other.pop(place.room_id, None)
        self.mark = next(_marks)

    def forget(self, room_id: str) -> None:
        """A left room that the user does not want to see any more."""
        place = self.places.get(room_id)
        if place is not None:
            self.set(place._replace(forgotten=True))

    def place_of(self, room_id: str) -> Membership | None:
        """What the user is or was in a room."""
        return self.places.get(room_id) or self.forgotten.get(room_id)

    def gone_since(self, since: int) -> list[Membership]:
        """Forgotten rooms that were left after a position."""
        return [place for place in self.forgotten.values() if place.stream > since]

    def rooms_with(self, membership: str) -> list[Membership]:
        """Places of one kind."""
        return [place for place in self.places.values() if place.membership == membership]


class Feeds:
    """The feeds of all users who sync."""

    def __init__(self, database: Database, positions: StreamPositions) -> None:
        self._database = database
        self._positions = positions
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._loading: dict[str, tuple[Feed, asyncio.Future[None]]] = {}

    async def of(self, user_id: str) -> Feed:
        """The feed of a user, complete up to the position that is current."""
        while True:
            feed = self._feeds.get(user_id)
            if feed is not None:
                return feed
            loading = self._loading.get(user_id)
            if loading is None:
                return await self._load(user_id)
            await asyncio.shield(loading[1])

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Somebody has come or gone. To be called when the entry's position has been reached, not before."""
        for (kind, user_id), (replaced, current) in entry.changes.items():
            if kind == "m.room.member":
                self._follow_member(room, user_id, replaced, current, entry.stream)

    def _follow_member(
        self, room: LiveRoom, user_id: str, replaced: Event | None, current: Event | None, stream: int
    ) -> None:
        feed = self._feeds.get(user_id)
        if feed is None and user_id in self._loading:
            feed = self._loading[user_id][0]
        if feed is None:
            return
        membership = str(current.content.get("membership", "leave")) if current is not None else "leave"
        known = feed.places.get(room.room_id)
        event_id, sender = (current.event_id, current.sender) if current is not None else ("", user_id)
        place = Membership(room.room_id, membership, event_id, stream, sender, False)
        if membership == "join" and replaced is not None and replaced.content.get("membership") == "join":
            # Only the name has changed. What is being loaded brings the position of the coming in.
            if known is not None:
                feed.set(place._replace(stream=known.stream))
            return
        feed.set(place)

    def forget(self, user_id: str, room_id: str) -> None:
        """A user does not want to see a left room any more."""
        feed = self._feeds.get(user_id)
        if feed is not None:
            feed.forget(room_id)

    async def _load(self, user_id: str) -> Feed:
        # Registered before it is filled, so that what is committed meanwhile is not missed.
        fresh, done = self._loading[user_id] = (Feed(user_id), asyncio.get_running_loop().create_future())
        try:
            await self._fill(fresh)
            self._feeds[user_id] = fresh
            if len(self._feeds) > _KEPT_USERS:
                self._feeds.popitem(last=False)
            return fresh
        finally:
            del self._loading[user_id]
            done.set_result(None)

    async def _fill(self, feed: Feed) -> None:
        newest = 0
        for place in await memberships_of(self._database, feed.user_id):
            known = feed.place_of(place.room_id)
            if known is None or known.stream < place.stream:
                feed.set(place)
            newest = max(newest, place.stream)
        # What is on disk may be ahead of what all may know yet.
        reached = asyncio.get_running_loop().create_future()
        self._positions.when_reached(newest, lambda: None if reached.done() else reached.set_result(None))
        await reached
