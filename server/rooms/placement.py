"""Where an event stands that is not simply laid on the tip of its room: it came from elsewhere, beside others.

Worked out by ``receive_event`` before, carried out by ``accept_event``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.rooms.event import Event, StateKey

State = Mapping[StateKey, Event]


@dataclass(frozen=True, slots=True)
class StoredState:
    """A state of a room and where it is stored: as ``snapshot`` at the end of ``chain`` others, or nowhere yet (0)."""

    state: State
    snapshot: int = 0
    chain: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """The state before an event; the ends of the graph after it, and the room's state then.

    ``ends`` and ``after`` mean nothing where the event is rejected or soft-failed.
    """

    before: StoredState
    ends: list[str]
    after: State
