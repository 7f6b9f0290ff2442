"""Tells the loop of deliveries who may have something due; loads it when somebody has a pusher (decision 8)."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from server.accounts.account_data import AccountData
from server.accounts.looks import Looks
from server.accounts.users import Users
from server.foundation.clock import Clock
from server.foundation.settings import IpNetwork
from server.foundation.tasks import Tasks
from server.notifications.judging import Verdict
from server.notifications.pusher_store import PusherKey
from server.notifications.pushers import Pushers
from server.notifications.unread import UnreadCounts
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry
from server.storage.database import Database
from server.storage.streams import StreamPositions

_DELIVERY: Final = "server.notifications.delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPushParts:
    """What telling browsers needs beside that. ``subject`` is whom push services may ask (RFC 8292 section 2.1)."""

    data_dir: Path
    subject: str
    node_user_id: str
    users: Users
    looks: Looks


@dataclass(frozen=True, slots=True, kw_only=True)
class PushParts:
    """What the deliveries are built from. ``last_of_room`` is the last position that concerned a room."""

    database: Database
    rooms: Rooms
    receipts: Receipts
    unread: UnreadCounts
    account_data: AccountData
    positions: StreamPositions
    clock: Clock
    pushers: Pushers
    last_of_room: Callable[[str], int]
    allowed_networks: Sequence[IpNetwork]
    web: WebPushParts


class Loop(Protocol):
    """The loop, as soon as it is loaded."""

    def ring(self, user_ids: Iterable[str]) -> None:
        """Look what is due to the apps of these users."""

    def begin_anew(self, key: PusherKey) -> None:
        """A pusher was set: what failed before says nothing any more."""

    def serve(self) -> Awaitable[None]:
        """Work until cancelled."""


class PushBell:
    """Rings for users who have pushers, and for nobody else."""

    def __init__(self, parts: PushParts, tasks: Tasks) -> None:
        self._parts = parts
        self._pushers = parts.pushers
        self._tasks = tasks
        self._loop: Loop | None = None
        self._loading = False
        self._waiting: set[str] = set()

    def open(self) -> None:
        """Deliver what was due when the node stopped."""
        self._pushers.listen(self._was_set)
        self._ring(self._pushers.users)

    def follow(self, room: LiveRoom, entry: Entry, verdict: Verdict) -> None:
        """Somebody is told of an event."""
        users = self._pushers.users
        if not users:
            return
        sender, special = entry.event.sender, verdict.special
        told = {user_id for user_id in users & special.keys() if special[user_id].notify}
        if verdict.common.notify:
            told |= (users & room.joined_here) - special.keys()
        told.discard(sender)
        self._ring(told)

    def follow_receipt(self, _room: LiveRoom, receipt: Receipt) -> None:
        """Somebody has read: the number on their apps changes."""
        if receipt.user_id in self._pushers.users:
            self._parts.positions.when_reached(receipt.stream, lambda: self._ring([receipt.user_id]))

    def _was_set(self, key: PusherKey) -> None:
        if self._loop is not None:
            self._loop.begin_anew(key)

    def _ring(self, user_ids: Iterable[str]) -> None:
        if self._loop is not None:
            self._loop.ring(user_ids)
            return
        self._waiting.update(user_ids)
        if self._waiting and not self._loading:
            self._loading = True
            self._tasks.start("pushes", self._serve())

    async def _serve(self) -> None:
        module = await asyncio.to_thread(importlib.import_module, _DELIVERY)
        loop: Loop = module.Deliveries(self._parts)
        self._loop = loop
        loop.ring(self._waiting)
        self._waiting = set()
        await loop.serve()
