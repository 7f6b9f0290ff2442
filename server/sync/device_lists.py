"""Whose devices a client must look at again, and whose it may forget (spec: ``device_lists`` of ``/sync``)."""

from __future__ import annotations

from server.accounts.accounts import Accounts
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import users_who_share_rooms
from server.rooms.rooms import Rooms
from server.storage.database import Database
from server.sync.bell import Bell
from server.sync.feeds import Feed
from server.sync.room_section import RoomReader

# Who has come near and who has gone.
Moves = tuple[set[str], set[str]]


class DeviceListNews:
    """Finds out what has changed of the devices around a user."""

    def __init__(self, database: Database, rooms: Rooms, reader: RoomReader, accounts: Accounts, bell: Bell) -> None:
        self._database = database
        self._rooms = rooms
        self._reader = reader
        self._accounts = accounts
        self._bell = bell

    async def between(
        self, feed: Feed, since: int, until: int, moves: Moves | None = None
    ) -> dict[str, list[str]] | None:
        """``changed`` and ``left`` for a user with ``since < position <= until``; ``None`` where there is nothing.

        ``moves`` saves looking for them again.
        """
        news = set(await self._accounts.device_changes_since(since, until))
        came, went = moves if moves is not None else await self.moves(feed, since, until)
        if not news and not came and not went:
            return None
        near = await users_who_share_rooms(self._database, [feed.user_id], news | came | went)
        changed = ((news | came) & near) | (news & {feed.user_id})
        left = went - near - {feed.user_id}
        return {"changed": sorted(changed), "left": sorted(left)} if changed or left else None

    async def moves(self, feed: Feed, since: int, until: int) -> Moves:
        """Who has come into the user's rooms and who has gone; all members where the user came or went."""
        came: set[str] = set()
        went: set[str] = set()
        for place in [*feed.places.values(), *feed.gone_since(since)]:
            is_own_move = place.stream > since
            if not is_own_move and self._bell.last_of_room(place.room_id) <= since:
                continue
            room = await self._rooms.get(place.room_id)
            if is_own_move:
                (came if place.membership == "join" else went).update(room.joined)
            elif place.membership == "join":
                for event, was_in in await self._member_events(room, since, until):
                    self._sort(event, was_in, came, went)
        return came - {feed.user_id}, went - {feed.user_id}

    async def _member_events(self, room: LiveRoom, since: int, until: int) -> list[tuple[Event, bool | None]]:
        """Member events of a span, each with whether the member was in before (``None``: nobody knows)."""
        entries = room.entries_after(since, until)
        if entries is None:
            changed = await self._reader.state_between(room, since, until)
            return [(event, None) for event in changed.values() if event.type == "m.room.member"]
        return [
            (entry.event, entry.replaced is not None and entry.replaced.content.get("membership") == "join")
            for entry in entries if entry.event.type == "m.room.member" and entry.event.state_key is not None
        ]

    def _sort(self, event: Event, was_in: bool | None, came: set[str], went: set[str]) -> None:
        is_in = event.content.get("membership") == "join"
        if is_in and not was_in:
            came.add(event.state_key or "")
        elif not is_in and was_in is not False:
            went.add(event.state_key or "")
