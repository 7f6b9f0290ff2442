"""Telling other servers what passes: who types, who has read, who is there. Nothing of it is kept.

Only servers with members in the room hear of it, and none that its ACL shuts out. Private receipts never leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from federation.outbound.delivery import Delivery
from federation.outbound.near_store import small_shared_rooms
from federation.outbound.passing import Passing
from server.accounts.presence import OFFLINE
from server.foundation.ids import server_name_of
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import READ
from server.rooms.server_acl import ACL, is_admitted
from server.rooms.timeline import Entry
from server.rooms.typing import Typing
from server.storage.database import Database
from server.sync.presence_news import PresenceNews, presence_content

Json = dict[str, Any]


class PassingNews:
    """What passes here, for other servers."""

    def __init__(
        self, database: Database, delivery: Delivery, typing: Typing, presence: PresenceNews, server_name: str
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._typing = typing
        self._presence = presence
        self._server_name = server_name
        # Who of us is typing in each room, as others were told.
        self._told_typing: dict[str, tuple[LiveRoom, set[str]]] = {}
        # The servers in each room through which presence goes.
        self._servers: dict[str, set[str]] = {}

    async def open(self) -> None:
        """Learn which rooms we share with whom."""
        if self._presence.rules.enabled:
            largest = self._presence.rules.largest_room
            for room_id, user_id in await small_shared_rooms(self._database, self._server_name, largest):
                self._servers.setdefault(room_id, set()).add(server_name_of(user_id))

    def typing_changed(self, room: LiveRoom) -> None:
        """The typists of a room have changed."""
        now = {user_id for user_id in self._typing.in_room(room.room_id) if self._is_ours(user_id)}
        _, before = self._told_typing.pop(room.room_id, (room, set()))
        if now:
            self._told_typing[room.room_id] = (room, now)
        if now != before:
            self._tell_typing(room, now ^ before, now)

    async def repeat_typing(self) -> None:
        """Say again who is typing, for those who believe us only for a minute."""
        for room, users in self._told_typing.values():
            self._tell_typing(room, users, users)

    def _tell_typing(self, room: LiveRoom, changed: set[str], now: set[str]) -> None:
        for server in admitted_servers(room):
            for user_id in sorted(changed):
                self._delivery.pass_on(
                    server, partial(_add_typing, room_id=room.room_id, user_id=user_id, is_typing=user_id in now)
                )

    def read(self, room: LiveRoom, receipt: Receipt) -> None:
        """Somebody has read."""
        if receipt.type != READ or not self._is_ours(receipt.user_id):
            return
        data: Json = {"ts": receipt.ts}
        if receipt.thread_id:
            data["thread_id"] = receipt.thread_id
        told = {"event_ids": [receipt.event_id], "data": data}
        for server in admitted_servers(room):
            self._delivery.pass_on(server, partial(_add_receipt, room_id=room.room_id, receipt=receipt, told=told),
                                   at_once=False)

    def people_changed(self, user_ids: Collection[str]) -> None:
        """People have come or gone."""
        for user_id in user_ids:
            if self._is_ours(user_id):
                servers: set[str] = set()
                for room_id in self._presence.rooms_of(user_id):
                    servers |= self._servers.get(room_id, set())
                self._tell_of(user_id, servers)

    async def repeat(self) -> None:
        """Say again who is there, for those who believe us only for a while."""
        self.people_changed(self._presence.presences.those_there())

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Somebody has come into a room or gone: who is new hears who is there."""
        moved = [user_id for kind, user_id in entry.changes if kind == "m.room.member"]
        if not moved or not self._presence.rules.enabled:
            return
        before = self._servers.pop(room.room_id, set())
        if len(room.joined) > self._presence.rules.largest_room:
            return
        servers = room.other_servers() if room.joined_here else set()
        if servers:
            self._servers[room.room_id] = servers
        for user_id in room.joined_here if servers - before else moved:
            if user_id in room.joined_here:
                self._tell_of(user_id, servers if user_id in moved else servers - before)

    def _tell_of(self, user_id: str, servers: Iterable[str]) -> None:
        presence = self._presence.presences.get(user_id)
        if presence is None:
            return
        content = presence_content(presence)
        told = {"user_id": user_id, "last_active_ago": 0, **content}
        if presence.state == OFFLINE:
            told["currently_active"] = False
        for server in servers:
            self._delivery.pass_on(server, partial(_add_presence, user_id=user_id, told=told), at_once=False)

    def _is_ours(self, user_id: str) -> bool:
        return server_name_of(user_id) == self._server_name


def admitted_servers(room: LiveRoom) -> list[str]:
    """The other servers in a room, without those that its ACL shuts out."""
    servers = room.other_servers()
    if not servers or (ACL, "") not in room.state:
        return sorted(servers)
    acl = room.content(ACL)
    return [server for server in sorted(servers) if is_admitted(acl, server)]


def _add_typing(passing: Passing, *, room_id: str, user_id: str, is_typing: bool) -> None:
    passing.add_typing(room_id, user_id, is_typing=is_typing)


def _add_receipt(passing: Passing, *, room_id: str, receipt: Receipt, told: Json) -> None:
    passing.add_receipt(room_id, receipt.user_id, receipt.thread_id, told)


def _add_presence(passing: Passing, *, user_id: str, told: Json) -> None:
    passing.add_presence(user_id, told)
