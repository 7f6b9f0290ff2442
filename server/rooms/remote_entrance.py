"""Judging a remote event when everything is at hand, and entering it: checks 4 to 6 on receipt, redactions.

Source: server-server API, "Checks performed on receipt of a PDU", "Soft failure"; "Redactions" of the room versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from server.rooms.accept_event import EventAcceptor
from server.rooms.auth_rules import may_blank, redaction_applies
from server.rooms.auth_rules.power_levels import power_of
from server.rooms.event import Event
from server.rooms.event_store import entry_of
from server.rooms.forks import Forks
from server.rooms.graph_store import (
    add_early_redaction,
    awaited_targets,
    drop_early_redactions,
    early_redactions_of,
    forget_outlier,
)
from server.rooms.live_room import LiveRoom
from server.rooms.outliers import is_allowed, is_authorised
from server.rooms.placement import Placement, State, StoredState
from server.rooms.timeline import OUTLIER, REJECTED, SOFT_FAILED, UNSEEN, Entry
from server.storage.database import Database, Writes


@dataclass(frozen=True, slots=True)
class Ground:
    """What an event is judged upon. ``before`` is ``None`` where it simply goes on the tip."""

    authorities: list[Event]
    create: Event | None
    rejected: set[str] = field(default_factory=set)
    before: StoredState | None = None
    # The other ends of the graph that stay beside the event, with the room's state over them and it.
    ends: Sequence[str] = ()
    after: StoredState | None = None
    target: Entry | None = None
    early: Sequence[Event] = ()
    was_outlier: bool = False


def judge(room: LiveRoom, event: Event, ground: Ground) -> int:
    """Checks 4 to 6 on receipt, as flags."""
    before = room.state if ground.before is None else ground.before.state
    if not is_authorised(event, ground.authorities, ground.create, ground.rejected):  # 4
        return REJECTED
    if not is_allowed(event, before):  # 5
        return REJECTED
    return 0 if ground.before is None or is_allowed(event, room.state) else SOFT_FAILED  # 6


class RemoteEntrance:
    """Where remote events enter."""

    def __init__(self, database: Database, acceptor: EventAcceptor, forks: Forks) -> None:
        self._database = database
        self._acceptor = acceptor
        self._forks = forks
        # Events that redactions are waiting for; read when the first remote event comes.
        self._awaited: set[str] | None = None

    def enter(self, room: LiveRoom, event: Event, ground: Ground, flags: int) -> Writes:
        """Enter it under the room's lock; ``flags`` are the verdict. The caller submits what this answers."""
        writes = Writes()
        if ground.was_outlier:
            forget_outlier(writes, event.event_id)
        placement = None
        if ground.before is not None and ground.after is not None:
            placement = Placement(ground.before, list(ground.ends), ground.after.state)
        target = ground.target if not flags & UNSEEN else None
        entry = self._acceptor.accept(room, event, writes, flags=flags, placement=placement, redacting=target)
        if event.type == "m.room.redaction" and event.redacts is not None and _must_wait(ground.target):
            add_early_redaction(writes, event.redacts, event.event_id)
            if self._awaited is not None:
                self._awaited.add(event.redacts)
        for redaction in ground.early:
            self._acceptor.redact(room, entry, redaction, writes)
            drop_early_redactions(writes, event.event_id)
        return writes

    async def target(self, room: LiveRoom, event: Event, before: State) -> Entry | None:
        """What a redaction blanks, where it is known and the state before it allows that."""
        if event.type != "m.room.redaction" or event.redacts is None:
            return None
        target = room.find(event.redacts) or await entry_of(self._database, room, event.redacts)
        if target is None or target.redacted_because is not None:
            return None
        return target if redaction_applies(event, target.event, power_of(before, room.version)) else None

    async def is_awaited(self, event: Event) -> bool:
        """Whether a redaction of this event has come before it."""
        if self._awaited is None:
            self._awaited = await awaited_targets(self._database)
        return event.event_id in self._awaited

    async def early(self, room: LiveRoom, event: Event) -> list[Event]:
        """The redactions of this event that have come before it, and may blank it."""
        waiting = (await early_redactions_of(self._database, [event.event_id])).get(event.event_id, [])
        found = await self._forks.events(room, waiting) if waiting else {}
        allowed = []
        for item in found.values():
            if not item.flags & UNSEEN:
                before = (await self._forks.read(room, item.snapshot)).state
                # Before version 11 a redaction that is blanked itself says no longer what it means.
                if may_blank(item.event, event, power_of(before, room.version)):
                    allowed.append(item.event)
        return allowed


def _must_wait(target: Entry | None) -> bool:
    """Whether what a redaction blanks is still to come; what has no place is written anew when it gets one."""
    return target is None or bool(target.flags & OUTLIER)
