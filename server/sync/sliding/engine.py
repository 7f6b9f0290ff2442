"""Sliding sync: one answer for one connection of a device (MSC4186)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from server.foundation.errors import NotFound
from server.sync.device_lists import DeviceListNews
from server.sync.feeds import Feed
from server.sync.sliding.asked import Asked
from server.sync.sliding.cards import Cards
from server.sync.sliding.connections import Connections, Told
from server.sync.sliding.extensions import Around, ExtensionTeller, Part, has_news
from server.sync.sliding.room_list import RoomLists, Sought
from server.sync.sliding.room_news import Look, RoomNews, RoomTeller
from server.sync.sync import Sync
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_LONGEST_WAIT_MS: Final = 120_000


@dataclass(slots=True)
class Answer:
    """What a device is told. ``lists`` are the numbers of rooms in them."""

    pos: str = ""
    lists: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, RoomNews] = field(default_factory=dict)
    extensions: dict[str, Part] = field(default_factory=dict)
    has_new_counts: bool = False

    @property
    def is_news(self) -> bool:
        """Whether it is worth telling at once."""
        return bool(self.rooms) or self.has_new_counts or has_news(self.extensions.values())


class SlidingSync:
    """Answers sliding sync. What devices know is in memory: after a restart they are told ``M_UNKNOWN_POS``."""

    def __init__(self, sync: Sync) -> None:
        ground = sync.ground
        self._sync = sync
        self._world = ground.world
        self._feeds = ground.feeds
        self._bell = ground.bell
        self._positions = ground.positions
        self._clock = ground.clock
        self._connections = Connections()
        cards = Cards(ground.database, ground.world.rooms, ground.bell, ground.positions)
        self._lists = RoomLists(ground.world, cards)
        self._rooms = RoomTeller(ground.world, ground.reader, ground.bell, cards)
        devices = DeviceListNews(ground.database, ground.world.rooms, ground.reader, ground.world.own, ground.bell)
        self._extensions = ExtensionTeller(ground.world, ground.bell, devices)

    async def answer(self, user_id: str, device_id: str, asked: Asked) -> Answer:
        """What is new for a connection; waits for it up to ``timeout_ms``. Raises ``UnknownPos``."""
        if asked.pos is None:
            connection = self._connections.begin(user_id, device_id, asked.conn_id)
            base = Told(SyncToken(0, 0))
        else:
            connection = self._connections.find(user_id, device_id, asked.conn_id)
            base = connection.at(asked.pos)
        turn = connection.take_turn()
        await self._acknowledge(user_id, device_id, asked)
        deadline = self._clock.monotonic() + min(asked.timeout_ms, _LONGEST_WAIT_MS) / 1000
        told = base
        while True:
            left = deadline - self._clock.monotonic()
            feed: Feed | None = None
            if left <= 0 or self._sync.is_stopping or await self._may_have_news(user_id, device_id, asked, told):
                feed = (await self._feeds.of(user_id)).as_it_is()
            # Taken in the same moment as the feed, so that all places in it are known at this position.
            now = SyncToken(self._positions.current, self._world.typing.position)
            answer = Answer(lists=told.counts)
            if feed is not None:
                told = told.copy()
                answer = await self._attempt(feed, device_id, asked, told, base.token.stream, now)
                told.token, told.asked = now, asked
            if answer.is_news or asked.pos is None or left <= 0 or self._sync.is_stopping:
                answer.pos = connection.answered(asked.pos, told)
                return answer
            if self._has_moved_on(user_id, now):
                continue  # something was committed while we looked, and its bell has rung already
            await self._bell.wait(user_id, left)
            if not connection.is_latest(turn):
                return Answer(asked.pos, told.counts)  # the device has asked again and does not read this any more

    async def _acknowledge(self, user_id: str, device_id: str, asked: Asked) -> None:
        wish = asked.extensions.to_device
        if wish is not None and wish.since is not None and wish.since <= self._positions.current:
            await self._world.own.acknowledge_to_device(user_id, device_id, wish.since)

    async def _may_have_news(self, user_id: str, device_id: str, asked: Asked, told: Told) -> bool:
        """Whether it is worth looking."""
        if not asked.asks_the_same_as(told.asked) or self._has_moved_on(user_id, told.token):
            return True
        wish = asked.extensions.to_device
        own = self._world.own
        if wish is not None and own.to_device.last_position(user_id, device_id) > (wish.since or 0):
            return True
        if not asked.extensions.e2ee:
            return False
        return bool(await own.device_changes_since(told.token.stream, self._positions.current))

    def _has_moved_on(self, user_id: str, token: SyncToken) -> bool:
        return self._bell.last_of_user(user_id) > token.stream or self._bell.last_typing(user_id) > token.typing

    async def _attempt(
        self, feed: Feed, device_id: str, asked: Asked, told: Told, since: int, now: SyncToken
    ) -> Answer:
        """Look for news; what the device will know with them is laid into ``told``."""
        sought = await self._lists.seek(feed, asked, told)
        answer = Answer(lists=sought.counts, has_new_counts=sought.counts != told.counts)
        told.counts = sought.counts
        await self._load_together(sought, told)
        for room_id, wish in sought.wishes.items():
            if self._is_settled(room_id, sought, told):
                continue
            look = Look(
                feed.user_id, device_id, sought.places[room_id], wish, told.rooms.get(room_id),
                room_id in sought.direct, now.stream, since,
            )
            news, told.rooms[room_id] = await self._rooms.tell(look)
            if news is not None:
                answer.rooms[room_id] = news
        await self._extend(answer, feed, device_id, asked, told, sought, now)
        return answer

    def _is_settled(self, room_id: str, sought: Sought, told: Told) -> bool:
        """Whether a short look says already that there is no news: so it is with nearly all rooms, nearly always."""
        known, place = told.rooms.get(room_id), sought.places[room_id]
        return (
            known is not None and known.membership == "join" and place.membership == "join"
            and self._bell.last_of_room(room_id) <= known.up_to and place.stream <= known.up_to
            and known.wish == sought.wishes[room_id] and known.is_dm is (room_id in sought.direct)
        )

    async def _load_together(self, sought: Sought, told: Told) -> None:
        """Bring the rooms of a new window into memory, if they are not."""
        rooms = self._world.rooms
        absent = [
            room_id for room_id in sought.wishes
            if rooms.live(room_id) is None and not self._is_settled(room_id, sought, told)
        ]
        with suppress(NotFound):
            await rooms.get_many(absent)

    async def _extend(
        self, answer: Answer, feed: Feed, device_id: str, asked: Asked, told: Told, sought: Sought, now: SyncToken
    ) -> None:
        wanted, parts, tell = asked.extensions, answer.extensions, self._extensions
        around = Around(feed.user_id, sought, answer.rooms, told, now)
        if wanted.to_device is not None:
            parts["to_device"] = await tell.to_device(feed.user_id, device_id, wanted.to_device, now)
        if wanted.e2ee:
            parts["e2ee"] = await tell.e2ee(feed, device_id, told, now)
        if wanted.account_data is not None:
            parts["account_data"] = await tell.account_data(wanted.account_data, around)
        if wanted.receipts is not None:
            parts["receipts"] = await tell.receipts(wanted.receipts, around)
        if wanted.typing is not None:
            parts["typing"] = tell.typing(wanted.typing, around)
