"""What a device is told besides rooms: messages to it, keys, account data, receipts, who is typing.

Sources: MSC3885 (to-device), MSC3884 (end-to-end encryption), MSC3959 (account data), MSC3960 (receipts),
MSC3961 (typing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from server.accounts.account_data_store import AccountDataItem
from server.sync.bell import Bell
from server.sync.device_lists import DeviceListNews
from server.sync.feeds import Feed
from server.sync.request import World
from server.sync.sliding.asked import Scope, ToDeviceWish
from server.sync.sliding.connections import Told
from server.sync.sliding.look import RoomNews
from server.sync.sliding.room_list import Sought
from server.sync.tokens import SyncToken

Json = dict[str, Any]

MOST_TO_DEVICE: Final = 100


class Part(NamedTuple):
    """What an extension answers, and whether that is worth an answer. Receipts are events, as bytes."""

    told: Json
    is_news: bool


class Around(NamedTuple):
    """What the extensions of rooms look at. What they tell is noted in ``told``."""

    user_id: str
    sought: Sought
    rooms: Mapping[str, RoomNews]
    told: Told
    now: SyncToken

    def joined(self, scope: Scope) -> list[str]:
        """The rooms of a scope that the user is in and the device knows."""
        return [
            room_id for room_id in self.sought.rooms_of(scope)
            if self.sought.places[room_id].membership == "join" and room_id in self.told.rooms
        ]


class ExtensionTeller:
    """Answers the extensions."""

    def __init__(self, world: World, bell: Bell, lists: DeviceListNews) -> None:
        self._world = world
        self._bell = bell
        self._lists = lists

    async def to_device(self, user_id: str, device_id: str, wish: ToDeviceWish, now: SyncToken) -> Part:
        """Messages that wait for the device; ``next_batch`` acknowledges them."""
        since = wish.since if wish.since is not None and wish.since <= now.stream else 0
        events, until = await self._world.own.to_device_for(user_id, device_id, since, now.stream, wish.limit)
        return Part({"next_batch": str(SyncToken(until)), "events": events}, bool(events))

    async def e2ee(self, feed: Feed, device_id: str, told: Told, now: SyncToken) -> Part:
        """Whose devices have changed, and how many keys are left."""
        counts, fallbacks = await self._world.own.key_counts(feed.user_id, device_id)
        shown: Json = {
            "device_one_time_keys_count": {"signed_curve25519": 0, **counts},
            "device_unused_fallback_key_types": fallbacks,
        }
        lists = None if told.devices is None else await self._lists.between(feed, told.devices, now.stream)
        if lists is not None:
            shown["device_lists"] = lists
        told.devices = now.stream
        return Part(shown, lists is not None)

    async def account_data(self, scope: Scope, around: Around) -> Part:
        """Account data of no room, and of the rooms in scope: all of those seen for the first time."""
        told, now = around.told, around.now.stream
        rooms = [room_id for room_id in around.sought.rooms_of(scope) if room_id in told.rooms]
        last = self._world.own.account_data.last_position(around.user_id)
        due = {room_id: told.rooms[room_id].data for room_id in rooms if told.rooms[room_id].data < last}
        shown: Json = {"global": [], "rooms": {}}
        if told.data < 0 or told.data < last or any(position < told.data for position in due.values()):
            items = await self._items(around, min([told.data, *due.values()]))
            shown["global"] = [_item(item) for item in items if not item.room_id and item.stream > told.data]
            for item in items:
                if item.room_id in due and item.stream > due[item.room_id]:
                    shown["rooms"].setdefault(item.room_id, []).append(_item(item))
            for room_id in due:
                told.rooms[room_id] = told.rooms[room_id]._replace(data=now)
            told.data = now
        return Part(shown, bool(shown["global"] or shown["rooms"]))

    async def _items(self, around: Around, after: int) -> list[AccountDataItem]:
        return await self._world.own.account_data.between(around.user_id, max(after, 0), around.now.stream)

    async def receipts(self, scope: Scope, around: Around) -> Part:
        """New receipts; with a new timeline those of its events, and the user's own."""
        shown: Json = {}
        for room_id in around.joined(scope):
            known, news = around.told.rooms[room_id], around.rooms.get(room_id)
            is_whole = news is not None and news.is_whole
            if not is_whole and known.receipts and self._bell.last_of_room(room_id) <= known.receipts:
                continue
            book = await self._world.receipts.book(room_id)
            if known.receipts and not is_whole:
                found = book.news(known.receipts, around.now.stream, around.user_id)
            else:
                events = news.event_ids if news is not None else frozenset()
                found = book.of_events(events, known.receipts, around.now.stream, around.user_id)
            if found:
                shown[room_id] = found
            around.told.rooms[room_id] = known._replace(receipts=around.now.stream)
        return Part({"rooms": shown}, bool(shown))

    def typing(self, scope: Scope, around: Around) -> Part:
        """Who is typing, where that has changed."""
        shown: Json = {}
        typing = self._world.typing
        for room_id in around.joined(scope):
            known = around.told.rooms[room_id]
            if typing.changed_after(room_id, known.typing):
                typists = typing.in_room(room_id)
                if typists or known.typing:
                    shown[room_id] = {"type": "m.typing", "content": {"user_ids": typists}}
                    around.told.rooms[room_id] = known._replace(typing=around.now.typing)
        return Part({"rooms": shown}, bool(shown))


def _item(item: AccountDataItem) -> Json:
    return {"type": item.type, "content": orjson.Fragment(item.content)}


def has_news(parts: Iterable[Part]) -> bool:
    """Whether one of the parts is worth an answer."""
    return any(part.is_news for part in parts)
