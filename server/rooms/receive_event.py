"""A remote event on its way into a room: the numbered checks from the fourth on, and what must be known for them.

Source: server-server API, "Checks performed on receipt of a PDU", "Soft failure", "Retrieving missing events".
What is missing is asked for first, from the network and without any lock; then the event is judged and entered under
the room's lock, and judged anew where somebody has spoken meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from server.foundation.errors import Forbidden, NotFound, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.accept_event import EventAcceptor
from server.rooms.auth_rules import auth_types_for
from server.rooms.event import Event
from server.rooms.forks import Forks
from server.rooms.live_room import LiveRoom
from server.rooms.missing import Missing
from server.rooms.placement import StoredState
from server.rooms.ports import Peers
from server.rooms.remote_entrance import Ground, RemoteEntrance, judge
from server.rooms.rooms import Rooms
from server.rooms.server_acl import ACL, is_admitted
from server.rooms.timeline import OUTLIER, REJECTED, SOFT_FAILED, UNSEEN, Entry
from server.rooms.to_others import ToOthers
from server.storage.database import Conflict, Database, Stale, Writes
from server.storage.streams import PastPositions

logger = logging.getLogger(__name__)

_TRIES: Final = 20
# So often an event is judged while others speak, and then again if they have; after that they wait.
_HASTY: Final = 4


class EventReceiver:
    """Takes remote events. One instance a node."""

    def __init__(
        self, database: Database, rooms: Rooms, acceptor: EventAcceptor, past: PastPositions, peers: Peers,
        to_others: ToOthers,
    ) -> None:
        self._database = database
        self._rooms = rooms
        self.forks = Forks(database)
        self.missing = Missing(database, self.forks, past, peers)
        self._to_others = to_others
        self._entrance = RemoteEntrance(database, acceptor, self.forks)
        self._turns = KeyedLocks()
        acceptor.listen(self._forget_redacted)

    async def receive(self, origin: str, event: Event, *, relay: bool = False) -> None:
        """Take an event that ``origin`` has sent and that has passed the first three checks.

        ``relay``: it was brought to us so that we hand it on to the other servers of the room.

        Raises ``Forbidden`` where it is rejected (now or before), ``NotFound`` where we are not in the room. An event
        that is known already is no fault.
        """
        room = await self._room(event.room_id)
        require_admitted(room, origin)
        await self._receive(origin, room, event, relay=relay)

    async def receive_all(self, origin: str, room_id: str, events: Sequence[Event]) -> dict[str, Refused | None]:
        """Take several events of one room in their order; for each, by id, why it was refused, if it was.

        As long as they simply follow what we have, they are committed together. Raises ``NotFound`` like ``receive``.
        """
        room = await self._room(room_id)
        results: dict[str, Refused | None] = {}
        waiting: list[tuple[Event, asyncio.Future[None]]] = []
        for event in events:
            commit = None
            if event.event_id not in results:
                commit = await self._take_at_once(origin, room, event)
            if commit is not None:
                waiting.append((event, commit))
                results[event.event_id] = None
                continue
            await self._settle(origin, room, waiting, results)
            results[event.event_id] = await self._try(origin, room, event)
        await self._settle(origin, room, waiting, results)
        return results

    async def _room(self, room_id: str) -> LiveRoom:
        room = await self._rooms.get(room_id)
        if not room.joined_here:
            raise NotFound("Nobody here is in this room")
        return room

    async def _take_at_once(
        self, origin: str, room: LiveRoom, event: Event
    ) -> asyncio.Future[None] | None:
        """Enter an event that goes on the tip, rests on today's state and is allowed: nothing is looked up for it.

        Whether it is known already shows when it cannot be written again (``Conflict``). It hardly ever is: what is in
        the room does not go on its tip once more, and what was forbidden still is.
        """
        if event.type == "m.room.redaction" or await self._entrance.is_awaited(event):
            return None
        async with self._rooms.hold(room) as held:
            if set(event.prev_events) != set(held.tip.extremities) or not is_welcome(held, origin):
                return None
            wanted = auth_types_for(event.type, event.sender, event.state_key, event.content, event.version)
            today = {held.state[key].event_id: held.state[key] for key in wanted if key in held.state}
            if any(link not in today for link in event.auth_events):
                return None
            ground = Ground([today[link] for link in event.auth_events], held.state.get(("m.room.create", "")))
            if judge(held, event, ground):
                return None
            return self._database.submit(self._entrance.enter(held, event, ground, 0))

    async def _settle(
        self, origin: str, room: LiveRoom, waiting: list[tuple[Event, asyncio.Future[None]]],
        results: dict[str, Refused | None],
    ) -> None:
        for event, commit in waiting:
            try:
                await asyncio.shield(commit)
            except (Stale, Conflict):
                results[event.event_id] = await self._try(origin, room, event)
        waiting.clear()

    async def _try(self, origin: str, room: LiveRoom, event: Event) -> Refused | None:
        try:
            room = await self._rooms.get(room.room_id)
            require_admitted(room, origin)
            await self._receive(origin, room, event)
        except Refused as refused:
            return refused
        return None

    async def take_own(self, room: LiveRoom, event: Event) -> None:
        """Take an event of ours that had to go to another server before (an invitation that it signed)."""
        await self._receive(room.server_name, room, event)

    async def _receive(self, origin: str, room: LiveRoom, event: Event, *, relay: bool = False) -> None:
        if await self._is_known(room, event):
            return
        for earlier in await self.missing.earlier(origin, room, event):
            await self._take_silently(origin, room, earlier)
        await self._take(origin, room, event, relay=relay)

    async def state_before(self, room: LiveRoom, event: Event) -> StoredState:
        """The state before an event whose predecessors are known."""
        told = await self._told(room.server_name, room, event)
        return await self.forks.over(room, await self._states_before(room, event, told))

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
            logger.info("an event was not taken: %s", refused)

    async def _take(self, origin: str, room: LiveRoom, event: Event, *, relay: bool = False) -> None:
        """Look up what others must tell, and enter the event. Whoever tells nothing holds up nobody else."""
        await self.missing.authorities(origin, room, event)
        told = await self._told(origin, room, event)
        async with self._turns.hold(event.room_id):
            for number in range(_TRIES):
                if await self._is_known(room, event):
                    return
                flags = await self._enter(event, told, relay_from=origin if relay else None, calmly=number >= _HASTY)
                if flags is None:
                    continue
                self.forks.forget([event.event_id])
                if flags & REJECTED:
                    raise Forbidden("The rules of the room do not allow this event")
                return
        raise Refused("The room is too busy; please try again", status=503)

    async def _enter(
        self, event: Event, told: Mapping[str, StoredState], *, relay_from: str | None, calmly: bool
    ) -> int | None:
        """Judge an event on the disk's word and enter it: its flags; ``None`` where somebody was quicker.

        ``calmly``: nobody else speaks meanwhile.
        """
        async with AsyncExitStack() as held:
            room = await self._rooms.get(event.room_id)
            if calmly:
                room = await held.enter_async_context(self._rooms.hold(room))
            ends = list(room.tip.extremities)
            # The ends, as they were named just now, must be on the disk, for there the states after them are looked up.
            await asyncio.shield(self._database.submit(Writes()))
            ground = await self._ground(room, event, ends, told)
            if not calmly and await held.enter_async_context(self._rooms.hold(room)) is not room:
                return None
            if room.tip.extremities != ends:
                return None
            flags = judge(room, event, ground)
            writes = self._entrance.enter(room, event, ground, flags)
            if relay_from is not None and not flags & UNSEEN:
                self._to_others.relay(room, room.timeline[-1], relay_from, writes)
            commit = self._database.submit(writes)
        try:
            await asyncio.shield(commit)
        except (Stale, Conflict):
            return None
        return flags

    async def _ground(
        self, room: LiveRoom, event: Event, ends: Sequence[str], told: Mapping[str, StoredState]
    ) -> Ground:
        known = await self.forks.events(room, [*event.auth_events, event.event_id])
        if any(link not in known for link in event.auth_events):
            raise Forbidden("The event rests on events that nobody has")
        authorities = [known[link] for link in event.auth_events]
        create = room.state.get(("m.room.create", ""))
        ground = Ground(
            [item.event for item in authorities], create,
            {item.event.event_id for item in authorities if item.is_rejected},
            early=await self._entrance.early(room, event), was_outlier=event.event_id in known,
        )
        if set(event.prev_events) == set(ends):
            return replace(ground, target=await self._entrance.target(room, event, room.state))
        return await self._beside(room, event, ends, ground, told)

    async def _beside(
        self, room: LiveRoom, event: Event, ends: Sequence[str], ground: Ground, told: Mapping[str, StoredState]
    ) -> Ground:
        """The ground of an event that does not simply follow all that we have."""
        before = await self.forks.over(room, await self._states_before(room, event, told))
        passed = await self._passed(room, event)
        beside = [end for end in ends if end not in passed]
        state = before.state
        if event.state_key is not None:
            state = {**state, event.key: event}
        others = await self.forks.after(room, (await self.forks.events(room, beside)).values())
        after = await self.forks.over(room, [StoredState(state), *others], new=event)
        target = await self._entrance.target(room, event, before.state)
        return replace(ground, before=before, ends=[*beside, event.event_id], after=after, target=target)

    async def _told(self, origin: str, room: LiveRoom, event: Event) -> dict[str, StoredState]:
        """The states after predecessors after which we do not know it, as ``origin`` says."""
        found: dict[str, StoredState] = {}
        for link in sorted(await self.missing.unknown(room, event.prev_events)):
            state = await self.missing.state_after(origin, room, link)
            if state is not None:
                found[link] = state
        return found

    async def _states_before(
        self, room: LiveRoom, event: Event, told: Mapping[str, StoredState]
    ) -> list[StoredState]:
        known = await self.forks.events(room, event.prev_events)
        states = await self.forks.after(room, known.values())
        states += [state for link, state in told.items() if link not in known or not known[link].has_state]
        if not states:
            raise Forbidden("Nothing is known of what came before this event")
        return states

    async def _passed(self, room: LiveRoom, event: Event) -> set[str]:
        """The ends that an event goes on from; through events that are no part of the room also what they follow.

        But not through what has no place: the state after that is only what another server says, and must be
        resolved with what we know ourselves.
        """
        passed: set[str] = set()
        waiting = set(event.prev_events)
        while waiting:
            passed |= waiting
            known = await self.forks.events(room, waiting)
            hidden = [item for item in known.values() if item.has_state and item.flags & (REJECTED | SOFT_FAILED)]
            waiting = {link for item in hidden for link in item.event.prev_events} - passed
        return passed

    def _forget_redacted(self, _room: LiveRoom, entry: Entry) -> None:
        if entry.event.type == "m.room.redaction" and entry.event.redacts is not None:
            self.forks.forget([entry.event.redacts])


def is_welcome(room: LiveRoom, server: str) -> bool:
    """Whether the room's ACL lets a server take part."""
    return (ACL, "") not in room.state or is_admitted(room.content(ACL), server)


def require_admitted(room: LiveRoom, server: str) -> None:
    """Raise ``Forbidden`` where the room's ACL shuts a server out."""
    if not is_welcome(room, server):
        raise Forbidden("Your server is shut out of this room")
