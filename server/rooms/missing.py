"""What is not known of a room and other servers may have: events of a gap, auth events, the state at some point.

Source: server-server API, "Backfilling and retrieving missing events", "Retrieving room state". Everything here goes
to the network, so nothing here holds a lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from server.foundation.errors import Forbidden
from server.rooms.event import Event
from server.rooms.forks import Forks
from server.rooms.graph_store import add_past_event, back_edges_of, first_depth
from server.rooms.live_room import LiveRoom
from server.rooms.outliers import in_order, is_allowed, judge_by_authorities
from server.rooms.placement import StoredState
from server.rooms.ports import PeerFailed, Peers
from server.rooms.timeline import OUTLIER, REJECTED
from server.storage.database import Database, Writes
from server.storage.streams import PastPositions

logger = logging.getLogger(__name__)

# After an absence: how many events are fetched to close the gap, and how many are asked for at once.
_MOST_MISSED: Final = 2_000
_ASKED_AT_ONCE: Final = 50
# Of what came before our time, to know it from what came beside our coming in.
_MOST_PAST: Final = 100
# From so many missing state events on, the whole state is fetched at once.
_FEW: Final = 30


class Missing:
    """Fetches it."""

    def __init__(self, database: Database, forks: Forks, past: PastPositions, peers: Peers) -> None:
        self._database = database
        self._forks = forks
        self._past = past
        self._peers = peers

    async def earlier(self, origin: str, room: LiveRoom, event: Event) -> list[Event]:
        """The events between those that we know and ``event``, oldest first, as far as they can be had.

        Raises ``Forbidden`` where ``event`` is from before our time in the room: who knows that we came in has no
        reason to tell us that, and it would stand beside today's state with one of long ago.
        """
        found: dict[str, Event] = {}
        lacking = await self.unknown(room, event.prev_events)
        if not lacking:
            return []
        first = await first_depth(self._database, room)
        if event.depth < first:
            raise Forbidden("This is from before our time in the room")
        latest = [event.event_id]
        while lacking and len(found) < _MOST_MISSED:
            try:
                batch = await self._peers.missing_events(
                    origin, room, room.tip.extremities, latest, _ASKED_AT_ONCE
                )
            except PeerFailed as fault:
                logger.info("a gap could not be closed: %s", fault)
                break
            fresh = {item.event_id: item for item in batch if item.event_id not in found}
            fresh.pop(event.event_id, None)
            if not fresh:
                break
            found |= fresh
            links = {link for item in (event, *found.values()) for link in item.prev_events if link not in found}
            lacking = await self.unknown(room, links)
            latest = [item.event_id for item in found.values() if lacking.intersection(item.prev_events)][:20]
        if any(item.depth < first for item in found.values()):
            found = await self._of_our_time(origin, room, found)
        return in_order(found, "prev_events")

    async def _of_our_time(self, origin: str, room: LiveRoom, found: dict[str, Event]) -> dict[str, Event]:
        """Without what the room's beginning here follows: a peer that goes back far enough goes back behind it."""
        edges = await back_edges_of(self._database, room)
        before = {event.event_id: event for event in await self._past_of(origin, room, edges)} if edges else {}
        past = {*edges, *before, *(link for event in before.values() for link in event.prev_events)}
        deepest = min((event.depth for event in before.values()), default=0)
        past |= {event_id for event_id, event in found.items() if event.depth < deepest}
        waiting = [found[event_id] for event_id in past if event_id in found]
        while waiting:
            fresh = {link for link in waiting.pop().prev_events if link in found} - past
            past |= fresh
            waiting += [found[link] for link in fresh]
        return {event_id: event for event_id, event in found.items() if event_id not in past}

    async def _past_of(self, origin: str, room: LiveRoom, edges: Sequence[str]) -> list[Event]:
        try:
            return await self._peers.backfill([origin], room, edges[:20], _MOST_PAST)
        except PeerFailed as fault:
            logger.info("the past of a room was not told: %s", fault)
            return []

    async def unknown(self, room: LiveRoom, event_ids: Iterable[str]) -> set[str]:
        """Those of these events after which we do not know the state."""
        wanted = {event_id for event_id in event_ids if event_id not in room.tip.extremities}
        known = await self._forks.events(room, wanted)
        return {event_id for event_id in wanted if event_id not in known or not known[event_id].has_state}

    async def authorities(self, origin: str, room: LiveRoom, event: Event) -> None:
        """See to it that everything that an event rests on is known."""
        known = await self._forks.events(room, event.auth_events)
        if all(link in known for link in event.auth_events):
            return
        await self.keep(room, await self._peers.authorities(origin, room, event.event_id))

    async def state_after(self, origin: str, room: LiveRoom, event_id: str) -> StoredState | None:
        """The state after an event that we cannot get at: before it, as ``origin`` says, and the event itself."""
        state_ids, chain_ids = await self._peers.state_ids_before(origin, room, event_id)
        known = await self._forks.events(room, [*state_ids, *chain_ids, event_id])
        lacking = [item for item in dict.fromkeys([*state_ids, *chain_ids, event_id]) if item not in known]
        if len(lacking) > _FEW:
            await self.keep(room, await self._peers.state_before(origin, room, event_id))
            lacking = [event_id] if event_id in lacking else []
        if lacking:
            await self.keep(room, await self._peers.events(origin, room, lacking))
        found = await self._forks.events(room, [*state_ids, event_id])
        if event_id not in found:
            return None
        kept = [found[item] for item in state_ids if item in found and not found[item].is_rejected]
        state = {item.event.key: item.event for item in kept if item.event.state_key is not None}
        last = found[event_id]
        if last.event.state_key is not None and not last.is_rejected and is_allowed(last.event, state):
            state[last.event.key] = last.event
        return StoredState(state) if ("m.room.create", "") in state else None

    async def keep(self, room: LiveRoom, events: Iterable[Event]) -> None:
        """Keep events as outliers, each judged by what it rests on."""
        ours = {event.event_id: event for event in events if event.room_id == room.room_id}
        links = {link for event in ours.values() for link in event.auth_events}
        known = await self._forks.with_chains(room, [*ours, *links])
        rejected = {event_id for event_id, item in known.items() if item.is_rejected}
        kept, rejected = judge_by_authorities(
            ours.values(), {event_id: item.event for event_id, item in known.items()}, rejected
        )
        writes = Writes()
        for event in kept:
            flags = OUTLIER | (REJECTED if event.event_id in rejected else 0)
            add_past_event(writes, room, event, self._past.allocate(), 0, flags)
        await asyncio.shield(self._database.submit(writes))
