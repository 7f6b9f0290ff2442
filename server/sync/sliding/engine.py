"""Sliding sync: one answer for one connection of a device (MSC4186)."""

from __future__ import annotations

from typing import Final

from server.sync.device_lists import DeviceListNews
from server.sync.feeds import Feed
from server.sync.sliding.answer import Answer
from server.sync.sliding.asked import Asked
from server.sync.sliding.cards import Cards
from server.sync.sliding.changed_rooms import ChangedRooms
from server.sync.sliding.connections import Connection, Connections, Told
from server.sync.sliding.extensions import Around, ExtensionTeller
from server.sync.sliding.look import Look
from server.sync.sliding.room_list import RoomLists, Sought
from server.sync.sliding.room_news import RoomTeller
from server.sync.sliding.windows import Windows
from server.sync.sync import Sync
from server.sync.tokens import SyncToken

_LONGEST_WAIT_MS: Final = 120_000


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
        self._connections = Connections(ground.clock)
        cards = Cards(ground.database, ground.world.rooms, ground.bell, ground.positions)
        self._lists = RoomLists(ground.world, cards)
        self._changed = ChangedRooms(ground.world, ground.bell, cards, self._lists)
        self._windows = Windows(ground.world)
        self._rooms = RoomTeller(ground.world, ground.reader, ground.bell, cards)
        devices = DeviceListNews(ground.database, ground.world.rooms, ground.reader, ground.world.own, ground.bell)
        self._extensions = ExtensionTeller(ground.world, ground.bell, devices)

    async def answer(self, user_id: str, device_id: str, asked: Asked) -> Answer:
        """What is new for a connection; waits for it up to ``timeout_ms``. Raises ``UnknownPos``."""
        connection, base = self._come_back(user_id, device_id, asked)
        turn = connection.take_turn()
        await self._acknowledge(user_id, device_id, asked)
        deadline = self._clock.monotonic() + min(asked.timeout_ms, _LONGEST_WAIT_MS) / 1000
        told = base
        while True:
            left = deadline - self._clock.monotonic()
            is_due = asked.pos is None or left <= 0 or self._sync.is_stopping
            feed: Feed | None = None
            if is_due or await self._may_have_news(user_id, device_id, asked, told):
                feed = await self._feeds.of(user_id)
            # Taken in the same moment as the feed, so that all places in it are known at this position.
            now = SyncToken(self._positions.current, self._world.typing.position)
            answer = Answer(lists=told.counts)
            if feed is not None:
                told = told.copy()
                answer = await self._attempt(feed, device_id, asked, told, base.token.stream, now)
                told.token, told.wishes = now, asked.wishes
            if answer.is_news or is_due:
                answer.pos = connection.answered(asked.pos, told)
                return answer
            if self._has_moved_on(user_id, now):
                continue  # something was committed while we looked, and its bell has rung already
            await self._bell.wait(user_id, left)
            if not connection.is_latest(turn):
                # The device has asked again and does not read this any more.
                return Answer(asked.pos or "", told.counts)

    def _come_back(self, user_id: str, device_id: str, asked: Asked) -> tuple[Connection, Told]:
        if asked.pos is None:
            return self._connections.begin(user_id, device_id, asked.conn_id), Told(SyncToken(0, 0))
        connection = self._connections.find(user_id, device_id, asked.conn_id)
        return connection, connection.at(asked.pos)

    async def _acknowledge(self, user_id: str, device_id: str, asked: Asked) -> None:
        wish = asked.wishes.extensions.to_device
        if wish is not None and wish.since is not None and wish.since <= self._positions.current:
            await self._world.own.acknowledge_to_device(user_id, device_id, wish.since)

    async def _may_have_news(self, user_id: str, device_id: str, asked: Asked, told: Told) -> bool:
        """Whether it is worth looking."""
        if self._has_moved_on(user_id, told.token) or not asked.wishes.are_those_of(told.wishes):
            return True
        wish = asked.wishes.extensions.to_device
        own = self._world.own
        if wish is not None and own.to_device.last_position(user_id, device_id) > (wish.since or 0):
            return True
        if not asked.wishes.extensions.e2ee:
            return False
        return bool(await own.device_changes_since(told.token.stream, self._positions.current))

    def _has_moved_on(self, user_id: str, token: SyncToken) -> bool:
        return self._bell.last_of_user(user_id) > token.stream or self._bell.last_typing(user_id) > token.typing

    async def _attempt(
        self, feed: Feed, device_id: str, asked: Asked, told: Told, since: int, now: SyncToken
    ) -> Answer:
        """Look for news; what the device will know with them is laid into ``told``."""
        sought = self._changed.seek(feed, asked.wishes, told)
        if sought is None:
            feed = feed.as_it_is()
            sought = await self._lists.seek(feed, asked.wishes, told)
            told.ground = self._changed.ground(feed, asked.wishes, sought)
        answer = Answer(lists=sought.counts, has_new_counts=sought.counts != told.counts)
        told.counts = sought.counts
        due = [room_id for room_id in sought.wishes if not self._is_settled(room_id, sought, told)]
        await self._windows.load(due)
        for room_id in due:
            look = Look(
                feed.user_id, device_id, sought.places[room_id], sought.wishes[room_id], told.rooms.get(room_id),
                room_id in sought.direct, now.stream, since,
            )
            news, told.rooms[room_id] = await self._rooms.tell(look)
            if news is not None:
                news.lists = sought.lists_of(room_id)
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

    async def _extend(
        self, answer: Answer, feed: Feed, device_id: str, asked: Asked, told: Told, sought: Sought, now: SyncToken
    ) -> None:
        wanted, parts, tell = asked.wishes.extensions, answer.extensions, self._extensions
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
