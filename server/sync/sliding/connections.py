"""What has been told to whom: connections of devices, in memory (MSC4186, "Connections").

A device may not have got our last answer, so what it knows is kept for two positions: the one that it came back with
and those answered since. After a restart of the node no position is known, and devices begin again.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.foundation.errors import BadRequest
from server.sync.sliding.asked import Asked, RoomWish
from server.sync.tokens import SyncToken

_KEPT_DEVICES: Final = 5_000
_KEPT_CONNECTIONS: Final = 10
_KEPT_ANSWERS: Final = 2


class UnknownPos(BadRequest):
    """A position that cannot be used: 400 ``M_UNKNOWN_POS``; the device begins again without one."""

    code = "M_UNKNOWN_POS"


class ToldRoom(NamedTuple):
    """What a device knows of a room: everything of ``wish`` up to ``up_to``.

    ``members`` are the lazy members that were sent, as bits. ``receipts``, ``typing`` and ``data`` are the positions
    up to which the extensions have told of the room; 0 or -1 where they never have.
    """

    wish: RoomWish
    up_to: int
    membership: str = "join"
    is_dm: bool = False
    unread: tuple[int, int] = (0, 0)
    members: int = 0
    receipts: int = 0
    typing: int = 0
    data: int = -1


@dataclass(slots=True)
class Told:
    """What a device knows at one position. Not changed any more once it was answered."""

    token: SyncToken
    asked: Asked | None = None
    rooms: dict[str, ToldRoom] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    # Up to where the extensions that concern no single room have told; -1 and None where they never have.
    data: int = -1
    devices: int | None = None

    def copy(self) -> Told:
        """One to go on with."""
        return Told(self.token, self.asked, dict(self.rooms), dict(self.counts), self.data, self.devices)


class Connection:
    """One loop of requests. Its positions carry a random name, so that those of an earlier one are unknown."""

    def __init__(self) -> None:
        self._name = secrets.token_urlsafe(9).replace("_", "-")
        self._told: OrderedDict[int, Told] = OrderedDict()
        self._last = 0
        self._turn = 0

    def take_turn(self) -> int:
        """A new request has come; what waits for the device already is not read by it any more."""
        self._turn += 1
        return self._turn

    def is_latest(self, turn: int) -> bool:
        """Whether no request has come after that of ``turn``."""
        return turn == self._turn

    def at(self, pos: str) -> Told:
        """What the device knows at ``pos``; forgets what was before. Raises ``UnknownPos``."""
        name, _, text = pos.rpartition("_")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
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
        kept = 0 if base is None else int(base.rpartition("_")[2])
        later = [number for number in self._told if number > kept]
        for number in later[:-_KEPT_ANSWERS]:
            del self._told[number]
        return f"{self._name}_{self._last}"


class Connections:
    """All connections; those that were not used for longest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._devices: OrderedDict[tuple[str, str], OrderedDict[str, Connection]] = OrderedDict()

    def begin(self, user_id: str, device_id: str, conn_id: str) -> Connection:
        """A new connection in the place of any that was there."""
        device = (user_id, device_id)
        own = self._devices.setdefault(device, OrderedDict())
        self._devices.move_to_end(device)
        connection = own[conn_id] = Connection()
        own.move_to_end(conn_id)
        if len(own) > _KEPT_CONNECTIONS:
            own.popitem(last=False)
        if len(self._devices) > _KEPT_DEVICES:
            self._devices.popitem(last=False)
        return connection

    def find(self, user_id: str, device_id: str, conn_id: str) -> Connection:
        """The connection; raises ``UnknownPos``."""
        own = self._devices.get((user_id, device_id), OrderedDict[str, Connection]())
        connection = own.get(conn_id)
        if connection is None:
            raise UnknownPos("This connection is not known any more; begin again without a position")
        own.move_to_end(conn_id)
        self._devices.move_to_end((user_id, device_id))
        return connection
