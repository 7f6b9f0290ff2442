"""Presence as people have set it themselves (spec, "Presence"): in memory, gone after a restart."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam

STATES: Final = ("online", "offline", "unavailable")
MAX_MESSAGE_CHARACTERS: Final = 256
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Presence:
    """What somebody lets others know of being there."""

    state: str
    message: str | None
    since_ms: int


class Presences:
    """Everybody's presence."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, Presence] = OrderedDict()

    def get(self, user_id: str) -> Presence | None:
        """What the user has set, or ``None``."""
        return self._known.get(user_id)

    def set(self, user_id: str, state: str, message: str | None) -> None:
        """Set it; raises ``InvalidParam``."""
        if state not in STATES:
            raise InvalidParam("presence is online, offline or unavailable")
        if message is not None and len(message) > MAX_MESSAGE_CHARACTERS:
            raise InvalidParam(f"A status has at most {MAX_MESSAGE_CHARACTERS} characters")
        self._known[user_id] = Presence(state, message, self._clock.now_ms())
        self._known.move_to_end(user_id)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def idle_ms(self, presence: Presence) -> int:
        """How long ago it was set."""
        return max(0, self._clock.now_ms() - presence.since_ms)
