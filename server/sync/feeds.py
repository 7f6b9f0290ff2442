"""Which rooms a user is in, in memory for those who sync."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from server.rooms.live_room import LiveRoom
from server.rooms.state_store import Membership, memberships_of
from server.rooms.timeline import Entry
from server.storage.database import Database

_KEPT_USERS: Final = 4_000


@dataclass(slots=True)
class Feed:
    """One user's places, by room id, with the rooms that they have left."""

    user_id: str
    places: dict[str, Membership] = field(default_factory=dict)

    def set(self, place: Membership) -> None:
        """A newer place in a room."""
        self.places[place.room_id] = place

    def rooms_with(self, membership: str) -> list[Membership]:
        """Places of one kind."""
        return [place for place in self.places.values() if place.membership == membership]


class Feeds:
    """The feeds of all users who sync."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._feeds: OrderedDict[str, Feed] = OrderedDict()

    async def of(self, user_id: str) -> Feed:
        """The feed of a user."""
        feed = self._feeds.get(user_id)
        if feed is None:
            return await self._load(user_id)
        return feed

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """A listener: somebody has come or gone."""
        event = entry.event
        if event.type != "m.room.member" or event.state_key is None:
            return
        feed = self._feeds.get(event.state_key)
        if feed is not None:
            membership = str(event.content.get("membership", "leave"))
            feed.set(Membership(room.room_id, membership, event.event_id, entry.stream, event.sender, False))

    def forget(self, user_id: str, room_id: str) -> None:
        """A user does not want to see a left room any more."""
        feed = self._feeds.get(user_id)
        if feed is not None:
            feed.places.pop(room_id, None)

    async def _load(self, user_id: str) -> Feed:
        # Registered before it is filled, so that what is committed meanwhile is not missed.
        fresh = Feed(user_id)
        self._feeds[user_id] = fresh
        if len(self._feeds) > _KEPT_USERS:
            self._feeds.popitem(last=False)
        for place in await memberships_of(self._database, user_id):
            known = fresh.places.get(place.room_id)
            if not place.forgotten and (known is None or known.stream < place.stream):
                fresh.set(place)
        return fresh
