"""Who is there (spec, "Presence"): in memory, gone after a restart.

A device that waits on ``/sync`` is there, as it wishes to be seen; so is one whose last ``/sync`` ended less than half
a minute ago. Of several devices the most present counts. Who has done nothing for five minutes is unavailable. States
are computed when something is done, and by one walk over those who are there (``sweep``): nobody has a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam

ONLINE: Final = "online"
UNAVAILABLE: Final = "unavailable"
OFFLINE: Final = "offline"
STATES: Final = (ONLINE, OFFLINE, UNAVAILABLE)
MAX_MESSAGE_CHARACTERS: Final = 256

_IDLE_S: Final = 300.0
_CURRENTLY_S: Final = 60.0
# How long a device stays there after its last sync, and after it was set there without one.
_LINGERS_S: Final = 30.0
_SET_FOR_S: Final = _IDLE_S
# Another server repeats what it says of its users more often than this.
_TOLD_FOR_S: Final = 1_800.0
_KEPT: Final = 10_000
_ELSEWHERE: Final = "another server"

# Hears of a user whose presence has changed, and whether the user has set it by hand.
PresenceListener = Callable[[str, bool], None]


@dataclass(frozen=True, slots=True)
class Presence:
    """What others see of somebody. ``idle_ms`` is ``None`` where it is not known since when."""

    state: str
    message: str | None
    idle_ms: int | None
    is_active: bool


@dataclass(slots=True)
class Device:
    """How a device wishes to be seen, how many syncs of it wait, and until when it lasts without one."""

    wish: str
    waits: int = 0
    until: float = 0.0

    def is_there(self, now: float) -> bool:
        return self.waits > 0 or self.until > now


@dataclass(slots=True)
class _Someone:
    """One user. ``active`` is when they last did something, by the clock that never runs backwards."""

    devices: dict[str, Device]
    state: str = OFFLINE
    message: str | None = None
    active: float | None = None

    def state_at(self, now: float) -> str:
        wishes = {device.wish for device in self.devices.values() if device.is_there(now)}
        if ONLINE in wishes:
            is_idle = self.active is None or now - self.active > _IDLE_S
            return UNAVAILABLE if is_idle and _ELSEWHERE not in self.devices else ONLINE
        return UNAVAILABLE if UNAVAILABLE in wishes else OFFLINE

    def those_there(self, now: float) -> dict[str, Device]:
        """The devices that are still there; the others need not be remembered."""
        return {name: device for name, device in self.devices.items() if device.is_there(now)}


class Presences:
    """Everybody's presence."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Someone] = {}
        # Those who are not offline.
        self._there: set[str] = set()
        self._listeners: list[PresenceListener] = []

    def listen(self, listener: PresenceListener) -> None:
        """Call ``listener`` whenever the state or the message of somebody has changed."""
        self._listeners.append(listener)

    @property
    def there(self) -> int:
        """How many are not offline."""
        return len(self._there)

    def those_there(self) -> list[str]:
        """All who are not offline."""
        return list(self._there)

    def get(self, user_id: str) -> Presence | None:
        """What others see of the user; ``None`` of whom nothing is known."""
        someone = self._known.get(user_id)
        if someone is None:
            return None
        idle = None if someone.active is None else max(0.0, self._clock.monotonic() - someone.active)
        return Presence(
            someone.state, someone.message, None if idle is None else int(idle * 1000),
            someone.state == ONLINE and idle is not None and idle < _CURRENTLY_S,
        )

    def set(self, user_id: str, device_id: str, state: str, message: str | None) -> None:
        """What a user says of being there; raises ``InvalidParam``."""
        check_state(state)
        if message is not None and len(message) > MAX_MESSAGE_CHARACTERS:
            raise InvalidParam(f"A status has at most {MAX_MESSAGE_CHARACTERS} characters")
        someone, device = self._device(user_id, device_id, state)
        now = self._clock.monotonic()
        device.wish, device.until = state, now + _SET_FOR_S
        someone.active = now
        has_news = someone.message != message
        someone.message = message
        self._settle(user_id, someone, by_hand=True, has_news=has_news)

    def arrive(self, user_id: str, device_id: str, wish: str) -> Device:
        """A device begins to wait on ``/sync`` and wishes to be seen as ``wish``. To be followed by ``depart``."""
        someone, device = self._device(user_id, device_id, wish)
        if someone.state == OFFLINE or device.wish != wish:
            if wish != OFFLINE and not device.is_there(self._clock.monotonic()):
                someone.active = self._clock.monotonic()
            device.wish = wish
        device.waits += 1
        if someone.state != wish:
            self._settle(user_id, someone)
        return device

    def depart(self, device: Device) -> None:
        """The device waits no more; it lingers for a while."""
        device.waits -= 1
        device.until = max(device.until, self._clock.monotonic() + _LINGERS_S)

    def noticed(self, user_id: str) -> None:
        """The user has just done something (sent, read, typed)."""
        someone = self._known.get(user_id)
        if someone is not None:
            someone.active = self._clock.monotonic()
            if someone.state == UNAVAILABLE:
                self._settle(user_id, someone)

    def receive(self, user_id: str, state: str, message: str | None, idle_ms: int | None) -> None:
        """What another server says of one of its users; raises ``InvalidParam``."""
        check_state(state)
        someone, device = self._device(user_id, _ELSEWHERE, state)
        now = self._clock.monotonic()
        device.wish, device.until = state, now + _TOLD_FOR_S
        someone.active = someone.active if idle_ms is None else now - max(0, idle_ms) / 1000
        has_news, someone.message = someone.message != message, message
        self._settle(user_id, someone, has_news=has_news)

    def sweep(self) -> None:
        """Time has passed: find out who has become idle or gone. To be called every few seconds."""
        now = self._clock.monotonic()
        for user_id in list(self._there):
            someone = self._known[user_id]
            if someone.state_at(now) != someone.state:
                self._settle(user_id, someone)
                someone.devices = someone.those_there(now)
        if len(self._known) > _KEPT:
            self._forget_some()

    def _forget_some(self) -> None:
        now = self._clock.monotonic()
        gone = [name for name, known in self._known.items() if known.state == OFFLINE and not known.those_there(now)]
        for user_id in gone[: len(self._known) - _KEPT]:
            del self._known[user_id]

    def _device(self, user_id: str, device_id: str, wish: str) -> tuple[_Someone, Device]:
        someone = self._known.get(user_id)
        if someone is None:
            someone = self._known[user_id] = _Someone({})
        device = someone.devices.get(device_id)
        if device is None:
            someone.devices = someone.those_there(self._clock.monotonic())
            device = someone.devices[device_id] = Device(wish)
        return someone, device

    def _settle(self, user_id: str, someone: _Someone, *, by_hand: bool = False, has_news: bool = False) -> None:
        state = someone.state_at(self._clock.monotonic())
        if state == someone.state and not has_news:
            return
        someone.state = state
        if state == OFFLINE:
            self._there.discard(user_id)
        else:
            self._there.add(user_id)
        for listener in self._listeners:
            listener(user_id, by_hand)


def check_state(state: str) -> str:
    """``state`` as it is; raises ``InvalidParam`` for what is none."""
    if state not in STATES:
        raise InvalidParam("presence is online, offline or unavailable")
    return state
