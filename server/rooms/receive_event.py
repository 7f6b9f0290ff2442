"""A remote event on its way into a room: the numbered checks from the fourth on, and what must be known for them.

Source: server-server API, "Checks performed on receipt of a PDU", "Soft failure", "Retrieving missing events".
What is missing is asked for first, from the network and without any lock; then the event is judged and entered under
the room's lock, and judged anew where somebody has spoken meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from server.foundation.errors import Forbidden, NotFound, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.accept_event import EventAcceptor
from server.rooms.auth_rules import check_auth, redaction_applies
from server.rooms.auth_rules.power_levels import power_of
from server.rooms.event import Event
from server.rooms.event_store import entry_of
from server.rooms.forks import Forks
from server.rooms.graph_store import (
    add_early_redaction,
    drop_early_redactions,
    early_redactions_of,
    forget_outlier,
)
from server.rooms.live_room import LiveRoom
from server.rooms.missing import Missing
from server.rooms.outliers import is_authorised
from server.rooms.placement import Placement, State, StoredState
from server.rooms.ports import Peers
from server.rooms.rooms import Rooms
from server.rooms.timeline import OUTLIER, REJECTED, SOFT_FAILED, UNSEEN, Entry
from server.rooms.to_others import ToOthers
from server.storage.database import Database, Stale, Writes
from server.storage.streams import PastPositions

logger = logging.getLogger(__name__)

_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class _Ground:
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


class EventReceiver:
    """Takes remote events. One instance a node."""

    def __init__(
        self, database: Database, rooms: Rooms, acceptor: EventAcceptor, past: PastPositions, peers: Peers,
        to_others: ToOthers,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self._acceptor = acceptor
        self.forks = Forks(database)
        self.missing = Missing(database, self.forks, past, peers)
        self._to_others = to_others
        self._turns = KeyedLocks()

    async def receive(self, origin: str, event: Event, *, relay: bool = False) -> None:
        """Take an event that ``origin`` has sent and that has passed the first three checks.

        ``relay``: it was brought to us so that we hand it on to the other servers of the room.

        Raises ``Forbidden`` where it is rejected (now or before), ``NotFound`` where we are not in the room. An event
        that is known already is no fault.
        """
        room = await self._rooms.get(event.room_id)
        if not room.joined_here:
            raise NotFound("Nobody here is in this room")
        async with self._turns.hold(event.room_id):
            await self._receive(origin, room, event, relay=relay)

    async def take_own(self, room: LiveRoom, event: Event) -> None:
        """Take an event of ours that had to go to another server before (an invitation that it signed)."""
        async with self._turns.hold(event.room_id):
            await self._receive(room.server_name, room, event)

    async def _receive(self, origin: str, room: LiveRoom, event: Event, *, relay: bool = False) -> None:
        if await self._is_known(room, event):
            return
        for earlier in await self.missing.earlier(origin, room, event):
            await self._take_silently(origin, room, earlier)
        await self._take(origin, room, event, relay=relay)

    async def state_before(self, room: LiveRoom, event: Event) -> StoredState:
        """The state before an event whose predecessors are known."""
        return await self.forks.over(room, await self._states_before(room.server_name, room, event))

    async def _is_known(self, room: LiveRoom, event: Event) -> bool:
        known = (await self.forks.events(room, [event.event_id])).get(event.event_id)
        if known is not None and known.is_rejected:
            raise Forbidden("This event was rejected before")
        return known is not None and not known.flags & OUTLIER

    async def _take_silently(self, origin: str, room: LiveRoom, event: Event) -> None:
        """One of several: that it is refused is no reason not to take the next."""
        try:
            if not await self._is_known(room, event):
                await self._take(origin, room, event)
        except Refused as refused:
            logger.info("an event was not taken: %s", refused.reason)

    async def _take(self, origin: str, room: LiveRoom, event: Event, *, relay: bool = False) -> None:
        await self.missing.authorities(origin, room, event)
        for _ in range(_TRIES):
            # What was sent here before must be on the disk, for there its state is looked up.
            await asyncio.shield(self._database.submit(Writes()))
            room = await self._rooms.get(room.room_id)
            ends = list(room.tip.extremities)
            ground = await self._ground(origin, room, event, ends)
            async with self._rooms.hold(room) as held:
                if held is not room or held.tip.extremities != ends:
                    continue
                flags = self._judge(held, event, ground)
                writes = self._enter(held, event, ground, flags)
                if relay and not flags & UNSEEN:
                    self._to_others.relay(held, held.timeline[-1], origin, writes)
                commit = self._database.submit(writes)
            try:
                await asyncio.shield(commit)
            except Stale:
                continue
            self.forks.forget([event.event_id])
            if flags & REJECTED:
                raise Forbidden("The rules of the room do not allow this event")
            return
        raise Refused("The room is too busy; please try again", status=503)

    async def _ground(self, origin: str, room: LiveRoom, event: Event, ends: Sequence[str]) -> _Ground:
        known = await self.forks.events(room, [*event.auth_events, event.event_id])
        if any(link not in known for link in event.auth_events):
            raise Forbidden("The event rests on events that nobody has")
        authorities = [known[link] for link in event.auth_events]
        create = room.state.get(("m.room.create", ""))
        ground = _Ground(
            [item.event for item in authorities], create,
            {item.event.event_id for item in authorities if item.is_rejected},
            target=await self._target(room, event), early=await self._early(room, event),
            was_outlier=event.event_id in known,
        )
        if set(event.prev_events) == set(ends):
            return ground
        return await self._beside(origin, room, event, ends, ground)

    async def _beside(
        self, origin: str, room: LiveRoom, event: Event, ends: Sequence[str], ground: _Ground
    ) -> _Ground:
        """The ground of an event that does not simply follow all that we have."""
        before = await self.forks.over(room, await self._states_before(origin, room, event))
        passed = await self._passed(room, event)
        beside = [end for end in ends if end not in passed]
        state = before.state
        if event.state_key is not None:
            state = {**state, event.key: event}
        others = await self.forks.after(room, (await self.forks.events(room, beside)).values())
        after = await self.forks.over(room, [StoredState(state), *others], new=event)
        return _Ground(
            ground.authorities, ground.create, ground.rejected, before, [*beside, event.event_id], after,
            ground.target, ground.early, ground.was_outlier,
        )

    async def _states_before(self, origin: str, room: LiveRoom, event: Event) -> list[StoredState]:
        known = await self.forks.events(room, event.prev_events)
        states = await self.forks.after(room, known.values())
        for link in event.prev_events:
            if link not in known or not known[link].has_state:
                found = await self.missing.state_after(origin, room, link)
                states += [found] if found is not None else []
        if not states:
            raise Forbidden("Nothing is known of what came before this event")
        return states

    async def _passed(self, room: LiveRoom, event: Event) -> set[str]:
        """The ends that an event goes on from; through events that are no part of the room also what they follow."""
        passed: set[str] = set()
        waiting = set(event.prev_events)
        while waiting:
            passed |= waiting
            known = await self.forks.events(room, waiting)
            hidden = [item for item in known.values() if item.flags & (REJECTED | SOFT_FAILED)]
            waiting = {link for item in hidden for link in item.event.prev_events} - passed
        return passed

    def _judge(self, room: LiveRoom, event: Event, ground: _Ground) -> int:
        """Checks 4 to 6, as flags."""
        before = room.state if ground.before is None else ground.before.state
        if not is_authorised(event, ground.authorities, ground.create, ground.rejected):  # 4
            return REJECTED
        if not _is_allowed(event, before):  # 5
            return REJECTED
        return 0 if ground.before is None or _is_allowed(event, room.state) else SOFT_FAILED  # 6

    def _enter(self, room: LiveRoom, event: Event, ground: _Ground, flags: int) -> Writes:
        writes = Writes()
        if ground.was_outlier:
            forget_outlier(writes, event.event_id)
        placement = None
        if ground.before is not None and ground.after is not None:
            placement = Placement(ground.before, list(ground.ends), ground.after.state)
        target = ground.target if not flags & UNSEEN else None
        entry = self._acceptor.accept(room, event, writes, flags=flags, placement=placement, redacting=target)
        if event.redacts is not None and event.type == "m.room.redaction" and ground.target is None:
            add_early_redaction(writes, event.redacts, event.event_id)
        for redaction in ground.early:
            if redaction_applies(redaction, event, power_of(room.state, room.version)):
                self._acceptor.redact(room, entry, redaction, writes)
                drop_early_redactions(writes, event.event_id)
        return writes

    async def _target(self, room: LiveRoom, event: Event) -> Entry | None:
        """What a redaction blanks, where it is known and may be."""
        if event.type != "m.room.redaction" or event.redacts is None:
            return None
        target = room.find(event.redacts) or await entry_of(self._database, room, event.redacts)
        if target is None or target.redacted_because is not None:
            return None
        return target if redaction_applies(event, target.event, power_of(room.state, room.version)) else None

    async def _early(self, room: LiveRoom, event: Event) -> list[Event]:
        waiting = (await early_redactions_of(self._database, [event.event_id])).get(event.event_id, [])
        found = await self.forks.events(room, waiting) if waiting else {}
        return [item.event for item in found.values() if not item.flags & UNSEEN]


def _is_allowed(event: Event, state: State) -> bool:
    try:
        check_auth(event, state)
    except Forbidden:
        return False
    return True
