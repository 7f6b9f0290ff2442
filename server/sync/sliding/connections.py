"""What has been told to whom: connections of devices, in memory (MSC4186, "Connections").

A device may not have got our last answer, so what it knows is kept for two positions: the one that it came back with
and those answered since. After a restart of the node no position is known, and devices begin again
(docs/decisions/0013).
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.foundation.clock import Clock
from server.foundation.errors import BadRequest
from server.sync.sliding.asked import RoomWish, Wishes
from server.sync.tokens import SyncToken

KEPT_DEVICES: Final = 5_000
KEPT_CONNECTIONS: Final = 10
# What all devices together may know: a room that one connection knows is one. A hundred bytes each, three hundred
# with the answers that are kept.
KEPT_ROOMS: Final = 500_000
KEPT_S: Final = 7 * 86_400.0
_KEPT_ANSWERS: Final = 2


class UnknownPos(BadRequest):
    """A position that cannot be used: 400 ``M_UNKNOWN_POS``; the device begins again without one."""

    code = "M_UNKNOWN_POS"


class UnreadCount(NamedTuple):
    """What a member has not read: in the whole room, and outside of threads."""

    notify: int = 0
    highlight: int = 0
    main_notify: int = 0
    main_highlight: int = 0


NOTHING_UNREAD: Final = UnreadCount()


class ToldRoom(NamedTuple):
    """What a device knows of a room: everything of ``wish`` up to ``up_to``.

    ``members`` are the lazy members that were sent, as bits. ``receipts``, ``typing`` and ``data`` are the positions
    up to which the extensions have told of the room; 0 or -1 where they never have.
    """

    wish: RoomWish
    up_to: int
    membership: str = "join"
    is_dm: bool = False
    unread: UnreadCount = NOTHING_UNREAD
    members: int = 0
    receipts: int = 0
    typing: int = 0
    data: int = -1


class Ground(NamedTuple):
    """What the lists stood on when all of their rooms were told: while it holds, only rooms that change are looked at.

    The marks of the user's places and of their account data, the rooms that these call direct chats, and what is in the
    windows of lists that do not show all of their rooms, but the liveliest.
    """

    places: int
    data: int
    direct: frozenset[str]
    windows: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Told:
    """What a device knows at one position. Not changed any more once it was answered."""

    token: SyncToken
    wishes: Wishes | None = None
    rooms: dict[str, ToldRoom] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    # Up to where the extensions that concern no single room have told; -1 and None where they never have.
    data: int = -1
    devices: int | None = None
    ground: Ground | None = None

    def copy(self) -> Told:
        """One to go on with."""
        return Told(self.token, self.wishes, dict(self.rooms), self.counts, self.data, self.devices, self.ground)


class Connection:
    """One loop of requests. Its positions carry a random name, so that those of an earlier one are unknown.

    They begin with what ``/sync`` would call them, and so page ``/messages``, ``/relations`` and ``/keys/changes``.
    """

    def __init__(self) -> None:
        self._name = secrets.token_urlsafe(9).replace("~", "-")
        self._told: OrderedDict[int, Told] = OrderedDict()
        self._last = 0
        self._turn = 0

    @property
    def weight(self) -> int:
        """How many rooms are kept for it."""
        for told in reversed(self._told.values()):
            return len(told.rooms)
        return 0

    def take_turn(self) -> int:
        """A new request has come; what waits for the device already is not read by it any more."""
        self._turn += 1
        return self._turn

    def is_latest(self, turn: int) -> bool:
        """Whether no request has come after that of ``turn``."""
        return turn == self._turn

    def at(self, pos: str) -> Told:
        """What the device knows at ``pos``; forgets what was before. Raises ``UnknownPos``."""
        _, name, number = _parts(pos)
        told = self._told.get(number)
        if name != self._name or told is None:
            raise UnknownPos("This position is not known any more; begin again without one")
        for older in [known for known in self._told if known < number]:
            del self._told[older]
        return told

    def answered(self, base: str | None, told: Told) -> str:
        """Keep what the device will know with an answer that started from ``base``; the answer's ``pos``."""
        self._last += 1
        self._told[self._last] = told
        kept = 0 if base is None else _parts(base)[2]
        later = [number for number in self._told if number > kept]
        for number in later[:-_KEPT_ANSWERS]:
            del self._told[number]
        return f"{told.token}~{self._name}~{self._last}"


def _parts(pos: str) -> tuple[str, str, int]:
    """Position, name of the connection, and number of the answer; -1 where it is none."""
    front, _, text = pos.rpartition("~")
    token, _, name = front.partition("~")
    return token, name, int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


@dataclass(slots=True)
class _Device:
    """The connections of a device; the one used last stands last."""

    used_at: float
    connections: OrderedDict[str, Connection] = field(default_factory=OrderedDict)
    weight: int = 0

    def weigh(self) -> int:
        """How much heavier it has become."""
        before, self.weight = self.weight, sum(connection.weight for connection in self.connections.values())
        return self.weight - before


class Connections:
    """All connections. Those that nobody came back to are forgotten, after a week or when there are too many."""

    def __init__(self, clock: Clock, *, rooms: int = KEPT_ROOMS) -> None:
        self._clock = clock
        self._devices: OrderedDict[tuple[str, str], _Device] = OrderedDict()
        self._most_rooms = rooms
        self._weight = 0

    def begin(self, user_id: str, device_id: str, conn_id: str) -> Connection:
        """A new connection in the place of any that was there."""
        device = self._use((user_id, device_id), _Device(self._clock.monotonic()))
        connection = device.connections[conn_id] = Connection()
        device.connections.move_to_end(conn_id)
        if len(device.connections) > KEPT_CONNECTIONS:
            device.connections.popitem(last=False)
        self._weight += device.weigh()
        self._forget_old()
        return connection

    def find(self, user_id: str, device_id: str, conn_id: str) -> Connection:
        """The connection; raises ``UnknownPos``."""
        device = self._devices.get((user_id, device_id))
        connection = None if device is None else device.connections.get(conn_id)
        if device is None or connection is None:
            raise UnknownPos("This connection is not known any more; begin again without a position")
        device.connections.move_to_end(conn_id)
        self._use((user_id, device_id), device)
        self._weight += device.weigh()
        return connection

    def _use(self, name: tuple[str, str], fresh: _Device) -> _Device:
        device = self._devices.setdefault(name, fresh)
        device.used_at = self._clock.monotonic()
        self._devices.move_to_end(name)
        return device

    def _forget_old(self) -> None:
        """Forget whom nobody expects any more, and more where there is too much; never the device that has come."""
        while len(self._devices) > 1:
            name = next(iter(self._devices))
            device = self._devices[name]
            is_old = device.used_at < self._clock.monotonic() - KEPT_S
            if not is_old and len(self._devices) <= KEPT_DEVICES and self._weight <= self._most_rooms:
                return
            self._weight -= device.weight
            del self._devices[name]
