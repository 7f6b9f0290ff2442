"""``/sync``: one answer for one device (spec: "Syncing").

A device that is up to date costs no SQL: a few look-ups say that nothing concerns its user. What a room has to tell
is made once for all members who were equally far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from server.foundation.clock import Clock
from server.rooms.membership_store import Membership
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.device_lists import DeviceListNews, Moves
from server.sync.feeds import Feed, Feeds
from server.sync.joined_rooms import JoinedRooms
from server.sync.other_rooms import OtherRooms
from server.sync.presence_news import PresenceNews
from server.sync.request import SyncRequest, World
from server.sync.room_section import RoomReader
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_LONGEST_WAIT_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class Ground:
    """What every kind of sync stands on."""

    database: Database
    world: World
    reader: RoomReader
    feeds: Feeds
    bell: Bell
    positions: StreamPositions
    clock: Clock


class Sync:
    """Answers ``/sync``."""

    def __init__(
        self, database: Database, world: World, reader: RoomReader, feeds: Feeds, bell: Bell,
        positions: StreamPositions, clock: Clock,
    ) -> None:
        self.ground = Ground(database, world, reader, feeds, bell, positions, clock)
        self._lists = DeviceListNews(database, world.rooms, reader, world.own, bell)
        self._world = world
        self._feeds = feeds
        self._bell = bell
        self._positions = positions
        self._clock = clock
        self._stopping = False
        self._joined = JoinedRooms(world, reader, bell)
        self._others = OtherRooms(world, reader)

    @property
    def presence(self) -> PresenceNews:
        """Who is there."""
        return self._world.presence

    async def answer(self, request: SyncRequest) -> bytes:
        """The answer as JSON bytes; waits up to ``timeout_ms`` for something new."""
        here = self._world.presence.arrive(request.user_id, request.device_id, request.set_presence)
        try:
            return await self._answer(request)
        finally:
            self._world.presence.depart(here)

    async def _answer(self, request: SyncRequest) -> bytes:
        since = request.since
        if since is not None:
            await self._world.own.acknowledge_to_device(request.user_id, request.device_id, since.stream)
            if self._positions.is_lost(since.stream):
                request = replace(request, full_state=True)  # what it believes may be of a time that is lost
        deadline = self._clock.monotonic() + min(request.timeout_ms, _LONGEST_WAIT_MS) / 1000
        while True:
            feed: Feed | None = None
            if since is None or request.full_state or await self._may_have_news(request.user_id, since):
                feed = (await self._feeds.of(request.user_id)).as_it_is()
            # Taken in the same moment as the feed, so that all places in it are known at this position.
            now = self.now()
            parts: list[bytes] = []
            if feed is not None:
                parts, now = await self._parts(request, feed, now)
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
        feed = await self._feeds.of(request.user_id)
        moves = await self._lists.moves(feed, since, until.stream)
        # Only the latest change of each user is known: it may hide one that lies before ``until``.
        lists = await self._lists.between(feed, since, max(until.stream, self._positions.current), moves)
        return lists or {"changed": [], "left": []}

    @property
    def is_stopping(self) -> bool:
        """Whether nobody may wait any more."""
        return self._stopping

    def stop_waiting(self) -> None:
        """The node stops: answer everybody now."""
        self._stopping = True
        self._bell.wake_all()

    def now(self) -> SyncToken:
        """Up to where everything is committed."""
        return SyncToken(self._positions.current, self._world.typing.position, self._world.presence.position)

    async def _may_have_news(self, user_id: str, since: SyncToken) -> bool:
        """Whether it is worth looking. Somebody's devices may have changed without the bell having rung yet."""
        if self._has_moved_on(user_id, since):
            return True
        return bool(await self._world.own.device_changes_since(since.stream, self._positions.current))

    def _has_moved_on(self, user_id: str, seen: SyncToken) -> bool:
        bell = self._bell
        return (
            bell.last_of_user(user_id) > seen.stream or bell.last_typing(user_id) > seen.typing
            or bell.last_presence(user_id) > seen.presence
        )

    async def _parts(self, request: SyncRequest, feed: Feed, now: SyncToken) -> tuple[list[bytes], SyncToken]:
        """What there is to tell, and up to where it reaches."""
        start = request.since.stream if request.since else 0
        own, by_room = await self._world.own.account_data_since(request.user_id, start, now.stream)
        parts = [await self._rooms_part(request, feed, now, by_room)]
        own = [event for event in own if request.filter.account_data.wants_type(str(event["type"]))]
        if own:
            parts.append(b'"account_data":{"events":%b}' % orjson.dumps(own))
        messages, _ = await self._world.own.to_device_for(
            request.user_id, request.device_id, start, now.stream, 100
        )
        if messages:
            messages = self._without_ignored(messages, request.user_id)
        if messages:
            parts.append(b'"to_device":{"events":%b}' % orjson.dumps(messages))
        moves: Moves = await self._lists.moves(feed, start, now.stream) if request.since else (set(), set())
        lists = await self._lists.between(feed, start, now.stream, moves) if request.since else None
        if lists is not None:
            parts.append(b'"device_lists":%b' % orjson.dumps(lists))
        if request.since is None or moves[0] or now.presence > request.since.presence:
            told, reached = self._presence_news(request, feed, moves[0])
            now = now._replace(presence=min(reached, now.presence))
            if told:
                parts.append(b'"presence":{"events":%b}' % orjson.dumps(told))
        return [part for part in parts if part], now

    def _without_ignored(self, messages: list[Json], user_id: str) -> list[Json]:
        """Messages to a device; of ignored users only what is encrypted, for keys of rooms are among it."""
        ignored = self._world.ignored_by(user_id)
        return [item for item in messages if item["sender"] not in ignored or item["type"] == "m.room.encrypted"]

    def _near(self, feed: Feed, came: set[str]) -> set[str]:
        """Those of ``came`` who are with the user in a room through which presence goes."""
        found: set[str] = set()
        for place in feed.rooms_with("join") if came else ():
            room = self._world.rooms.live(place.room_id)
            if room is not None and len(room.joined) <= self._world.presence.rules.largest_room:
                found |= came & room.joined
        return found

    def _presence_news(self, request: SyncRequest, feed: Feed, came: set[str]) -> tuple[list[Json], int]:
        presence, since = self._world.presence, request.since
        wanted = request.filter.presence
        if not presence.rules.enabled or not wanted.wants_type("m.presence"):
            return [], presence.position
        joined = [place.room_id for place in feed.rooms_with("join")]
        told, reached = presence.news(
            request.user_id, joined, since.presence if since else None, self._near(feed, came),
            self._world.ignored_by(request.user_id),
        )
        return [event for event in told if wanted.wants_sender(event["sender"])], reached

    async def _rooms_part(
        self, request: SyncRequest, feed: Feed, now: SyncToken, data: dict[str, list[Json]]
    ) -> bytes:
        sections: dict[bytes, list[bytes]] = {b"join": [], b"invite": [], b"knock": [], b"leave": []}
        gone = feed.gone_since(request.since.stream) if request.since is not None else ()
        for place in (*feed.places.values(), *gone):
            if not request.filter.wants_room(place.room_id):
                continue
            kind = _KIND.get(place.membership, b"leave")
            asked = request.in_room(place.room_id)
            wanted = asked.filter.room_account_data
            changed = [item for item in data.get(place.room_id, []) if wanted.wants_type(str(item["type"]))]
            section = await self._section(kind, place, asked, now, changed)
            if section is not None:
                sections[kind].append(b"%b:%b" % (orjson.dumps(place.room_id), section))
        told = [b'"%b":{%b}' % (kind, b",".join(found)) for kind, found in sections.items() if found]
        return b'"rooms":{%b}' % b",".join(told) if told else b""

    async def _section(
        self, kind: bytes, place: Membership, request: SyncRequest, now: SyncToken, data: list[Json]
    ) -> bytes | None:
        if kind == b"join":
            return await self._joined.section(place, request, now, data)
        since = request.since
        is_news = since is None or place.stream > since.stream
        if kind == b"leave":
            is_archive = request.filter.include_leave and (since is None or request.full_state) and not place.forgotten
            if not is_archive and (since is None or not is_news):
                return None
            return await self._others.left(place, request, data)
        return await self._others.asked(kind, place, request) if is_news or request.full_state else None

    async def _keys_part(self, request: SyncRequest) -> bytes:
        counts, fallbacks = await self._world.own.key_counts(request.user_id, request.device_id)
        shown = orjson.dumps({"signed_curve25519": 0, **counts})
        unused = orjson.dumps(fallbacks)
        return (
            b'"device_one_time_keys_count":%b,"device_unused_fallback_key_types":%b,'
            b'"org.matrix.msc2732.device_unused_fallback_key_types":%b' % (shown, unused, unused)
        )


_KIND: Final = {"join": b"join", "invite": b"invite", "knock": b"knock"}
