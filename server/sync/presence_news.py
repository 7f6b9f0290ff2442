"""Telling people of each other's presence, cheaply.

Changes are told in rounds: the first at once, those that follow together after a pause that grows with the number of
people who are there (a second, and two milliseconds for each of them). Presence goes through rooms of a moderate size
only: in a room of 1,500 everybody would hear of everybody all day long, and an earthquake, when all phones come
online at once, would send a few hundred megabytes of it. A round wakes only those whom it concerns; that somebody was
active a moment ago wakes nobody.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from server.accounts.presence import OFFLINE, Device, Presence, Presences
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Database
from server.sync.bell import Bell
from server.sync.presence_store import small_rooms_of

_SHORTEST_PAUSE_S: Final = 1.0
_PAUSE_PER_PERSON_S: Final = 0.002
# So many in one answer; the rest comes with the next.
MOST_TOLD: Final = 100

Json = dict[str, Any]
# Hears of the users of a round; federation tells other servers of ours.
RoundListener = Callable[[Collection[str]], None]


class PresenceRules(NamedTuple):
    """Whether presence is told at all, and how many members a room through which it goes may have."""

    enabled: bool = True
    largest_room: int = 100


class PresenceNews:
    """What is new of presence, and whom it concerns. Every change takes the next of its own positions."""

    def __init__(
        self, presences: Presences, database: Database, bell: Bell, tasks: Tasks, clock: Clock, rules: PresenceRules
    ) -> None:
        self.presences = presences
        self.rules = rules
        self._database = database
        self._bell = bell
        self._tasks = tasks
        self._clock = clock
        # Begins at the time of the start, so that a token from before it is never ahead of us.
        self.position = clock.now_ms()
        # The position of each user's latest change, in the order of the changes, and who has made theirs by hand.
        self._told: OrderedDict[str, int] = OrderedDict()
        self._by_hand: set[str] = set()
        # The rooms of moderate size of everybody who was there since the start, and the other way round.
        self._rooms: dict[str, set[str]] = {}
        self._circles: dict[str, set[str]] = {}
        # Moves of users whose rooms are just being read.
        self._moves: dict[str, list[tuple[LiveRoom, bool]]] = {}
        # Who has changed since the last round, and whether by hand; who is new to us.
        self._changed: dict[str, bool] = {}
        self._strangers: set[str] = set()
        self._learning = asyncio.Lock()
        self._is_round_due = False
        self._next_round = 0.0
        self._listeners: list[RoundListener] = []
        if rules.enabled:
            presences.listen(self._note)

    def listen(self, listener: RoundListener) -> None:
        """Call ``listener`` after every round."""
        self._listeners.append(listener)

    def arrive(self, user_id: str, device_id: str, wish: str) -> Device | None:
        """A device begins to wait on ``/sync`` and wishes to be seen as ``wish``. To be followed by ``depart``."""
        if not self.rules.enabled:
            return None
        self._meet(user_id)
        return self.presences.arrive(user_id, device_id, wish)

    def depart(self, device: Device | None) -> None:
        """The device waits no more."""
        if device is not None:
            self.presences.depart(device)

    @contextmanager
    def syncing(self, user_id: str, device_id: str, wish: str) -> Iterator[None]:
        """The device waits inside the block."""
        device = self.arrive(user_id, device_id, wish)
        try:
            yield
        finally:
            self.depart(device)

    def news(
        self, user_id: str, joined: Collection[str], since: int | None, came: Collection[str], ignored: Collection[str]
    ) -> tuple[list[Json], int]:
        """What a user in the rooms ``joined`` has to hear since a position, and up to where that reaches.

        ``came`` are people who have newly come near; of them the user hears in any case. Without ``since``, of
        everybody who is there.
        """
        rooms = frozenset(joined)
        if since is None:
            wanted = [other for other in self._near(user_id, rooms) if self._is_there(other)]
            wanted += [] if user_id in wanted else [user_id]
            fresh = [(0, other) for other in wanted]
        else:
            fresh = self._fresh(since, user_id)
            known = {other for _, other in fresh}
            fresh += [(0, other) for other in came if other not in known]
        told = [
            (at, other) for at, other in sorted(fresh) if other not in ignored
            and (other == user_id or other in came or not rooms.isdisjoint(self._rooms.get(other, ())))
        ]
        reached = self.position
        if since is not None and len(told) > MOST_TOLD:
            told = told[:MOST_TOLD]
            reached = max(since, told[-1][0])
        return [self._event(other) for _, other in told[:MOST_TOLD]], reached

    def rooms_of(self, user_id: str) -> Collection[str]:
        """The rooms of moderate size that somebody is in who was there since the start. Not to be changed."""
        return self._rooms.get(user_id, ())

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """Somebody has come into a room or gone. To be called when the entry's position has been reached."""
        if not self.rules.enabled:
            return
        for (kind, user_id), (_, current) in entry.changes.items():
            if kind == "m.room.member":
                is_in = current is not None and current.content.get("membership") == "join"
                self._follow_member(room, user_id, is_in=is_in)

    def _follow_member(self, room: LiveRoom, user_id: str, *, is_in: bool) -> None:
        if len(room.joined) > self.rules.largest_room:
            self._dissolve(room.room_id)
        elif user_id in self._moves:
            self._moves[user_id].append((room, is_in))
        elif user_id in self._rooms:
            self._move(user_id, room, is_in=is_in)

    def _dissolve(self, room_id: str) -> None:
        """A room has grown too large for presence. It stays so until the next start, should it shrink again."""
        for member in self._circles.pop(room_id, ()):
            self._rooms[member].discard(room_id)

    def _fresh(self, since: int, viewer: str) -> list[tuple[int, str]]:
        """Who has changed since a position. That one waits on ``/sync`` oneself is no news."""
        found = []
        for user_id in reversed(self._told):
            position = self._told[user_id]
            if position <= since:
                break
            if user_id != viewer or user_id in self._by_hand:
                found.append((position, user_id))
        return found

    def _near(self, user_id: str, rooms: Iterable[str]) -> set[str]:
        near = {user_id}
        for room_id in rooms:
            near |= self._circles.get(room_id, set())
        return near

    def _is_there(self, user_id: str) -> bool:
        presence = self.presences.get(user_id)
        return presence is not None and (presence.state != OFFLINE or presence.message is not None)

    def _event(self, user_id: str) -> Json:
        presence = self.presences.get(user_id)
        content = {"presence": OFFLINE} if presence is None else presence_content(presence)
        return {"type": "m.presence", "sender": user_id, "content": content}

    def _note(self, user_id: str, by_hand: bool) -> None:
        self._meet(user_id)
        self._changed[user_id] = by_hand or self._changed.get(user_id, False)
        if not self._is_round_due:
            self._is_round_due = True
            self._tasks.start("presence round", self._go_round())

    def _meet(self, user_id: str) -> None:
        """Learn the rooms of somebody who is there for the first time; of many who come at once, together."""
        if user_id not in self._rooms and user_id not in self._strangers:
            if not self._strangers:
                self._tasks.start("presence rooms", self._learn_rooms())
            self._strangers.add(user_id)

    async def _go_round(self) -> None:
        try:
            while self._changed:
                await self._clock.sleep(max(0.0, self._next_round - self._clock.monotonic()))
                await self._round()
        finally:
            self._is_round_due = False

    async def _round(self) -> None:
        pause = _SHORTEST_PAUSE_S + _PAUSE_PER_PERSON_S * self.presences.there
        self._next_round = self._clock.monotonic() + pause
        changed, self._changed = self._changed, {}
        await self._learn_rooms()
        concerned: set[str] = set()
        for user_id, by_hand in changed.items():
            if not (by_hand or self._rooms.get(user_id) or self._is_there(user_id)):
                self._forget(user_id)
                continue
            self.position += 1
            self._told[user_id] = self.position
            self._told.move_to_end(user_id)
            (self._by_hand.add if by_hand else self._by_hand.discard)(user_id)
            near = self._near(user_id, self._rooms.get(user_id, ()))
            concerned |= near if by_hand else near - {user_id}
        self._bell.presence_changed(concerned, self.position)
        for listener in self._listeners if changed else ():
            listener(changed.keys())

    def _forget(self, user_id: str) -> None:
        """Somebody has gone who shares no room with anybody: nobody hears of them, until they are met again."""
        self._rooms.pop(user_id, None)
        self._told.pop(user_id, None)
        self._by_hand.discard(user_id)

    async def _learn_rooms(self) -> None:
        async with self._learning:
            strangers, self._strangers = self._strangers, set()
            if strangers:
                await self._read_rooms(list(strangers))

    async def _read_rooms(self, user_ids: list[str]) -> None:
        # Noted before they are read, so that who moves meanwhile is not missed.
        self._moves |= {user_id: [] for user_id in user_ids}
        try:
            for user_id, rooms in (await small_rooms_of(self._database, user_ids, self.rules.largest_room)).items():
                self._rooms[user_id] = rooms
                for room_id in rooms:
                    self._circles.setdefault(room_id, set()).add(user_id)
        finally:
            moves = [(user_id, self._moves.pop(user_id)) for user_id in user_ids]
        for user_id, steps in moves:
            for room, is_in in steps:
                self._move(user_id, room, is_in=is_in)

    def _move(self, user_id: str, room: LiveRoom, *, is_in: bool) -> None:
        circle = self._circles.setdefault(room.room_id, set())
        if is_in:
            circle.add(user_id)
            self._rooms[user_id].add(room.room_id)
        else:
            circle.discard(user_id)
            self._rooms[user_id].discard(room.room_id)
        if not circle:
            del self._circles[room.room_id]


def presence_content(presence: Presence) -> Json:
    """The content of an ``m.presence``, and the answer of ``presence/{userId}/status``."""
    content: Json = {"presence": presence.state}
    if presence.idle_ms is not None:
        content["last_active_ago"] = presence.idle_ms
    if presence.state != OFFLINE:
        content["currently_active"] = presence.is_active
    if presence.message is not None:
        content["status_msg"] = presence.message
    return content
