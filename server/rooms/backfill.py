"""The past of a room from before one of us came in: asked for when somebody looks so far back.

Source: server-server API, "Backfilling and retrieving missing events". What comes is judged by what it rests on; the
state before it is not known, and who may see it is decided by the room's visibility when we came in, besides the other
server's own care.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from server.foundation.errors import Refused
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.auth_rules import redaction_applies
from server.rooms.auth_rules.power_levels import power_of
from server.rooms.event import Event
from server.rooms.event_store import add_relation, redact_event
from server.rooms.forks import Forks
from server.rooms.graph_store import (
    Stored,
    add_back_edges,
    add_past_event,
    back_edges_of,
    drop_back_edges,
    first_snapshot,
    forget_outlier,
)
from server.rooms.live_room import LiveRoom
from server.rooms.missing import Missing
from server.rooms.outliers import in_order, is_authorised
from server.rooms.ports import PeerFailed, Peers
from server.rooms.redaction import redact
from server.rooms.relations import relation_of
from server.rooms.timeline import OUTLIER, Entry
from server.storage.database import Database, Writes
from server.storage.streams import PastPositions

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 100
# How far back one goes for a single event.
_MOST_PIECES: Final = 10


class Backfill:
    """Fetches it."""

    def __init__(
        self, database: Database, forks: Forks, missing: Missing, past: PastPositions, peers: Peers
    ) -> None:
        self._database = database
        self._forks = forks
        self._missing = missing
        self._past = past
        self._peers = peers
        self._turns = KeyedLocks()

    async def more(self, room: LiveRoom) -> bool:
        """Fetch the next piece of the room's past; whether there was any."""
        async with self._turns.hold(room.room_id):
            edges = await back_edges_of(self._database, room)
            servers = sorted(room.other_servers())
            if not edges or not servers:
                return False
            try:
                events = await self._peers.backfill(servers, room, edges[:20], _AT_ONCE)
            except PeerFailed as fault:
                logger.info("the past of a room was not got: %s", fault)
                return False
            return await self._keep(room, servers[0], edges, events)

    async def reach(self, room: LiveRoom, server: str, event_id: str) -> Event | None:
        """An event that ``server`` knows: by going back to it; where it lies too far back, it is fetched alone.

        Alone it has no place in the timeline, until somebody reads back so far. ``None`` where it is not to be had.
        """
        for _ in range(_MOST_PIECES):
            stored = await self._known(room, event_id)
            if stored is not None and not stored.flags & OUTLIER:
                return stored.event
            if not await self.more(room):
                break
        if await self._known(room, event_id) is None:
            await self._fetch_alone(room, server, event_id)
        stored = await self._known(room, event_id)
        return None if stored is None or stored.is_rejected else stored.event

    async def _known(self, room: LiveRoom, event_id: str) -> Stored | None:
        return (await self._forks.events(room, [event_id])).get(event_id)

    async def _fetch_alone(self, room: LiveRoom, server: str, event_id: str) -> None:
        try:
            events = await self._peers.events(server, room, [event_id])
            for event in events:
                await self._missing.authorities(server, room, event)
            await self._missing.keep(room, events)
        except Refused as fault:
            logger.info("an event of the past was not got: %s", fault)

    async def _keep(self, room: LiveRoom, server: str, edges: Sequence[str], events: Sequence[Event]) -> bool:
        known = await self._forks.events(room, [event.event_id for event in events])
        fresh = {
            event.event_id: event for event in events
            if event.event_id not in known or known[event.event_id].flags & OUTLIER
        }
        allowed = [event for event in in_order(fresh, "prev_events") if await self._is_authorised(room, server, event)]
        links = {link for event in events for link in event.prev_events}
        seen = {event.event_id for event in events}
        earlier = await self._forks.events(room, links - seen)
        # What we know only as part of the state has its place in the past still to come.
        unknown = links - seen - {event_id for event_id, item in earlier.items() if not item.flags & OUTLIER}
        writes = Writes()
        drop_back_edges(writes, room, [*seen, *edges[:20]])
        add_back_edges(writes, room, unknown)
        snapshot = await first_snapshot(self._database, room)
        # The newest first: each lies before the one that was laid down last.
        laid = [(event, self._past.allocate()) for event in reversed(allowed)]
        for event, position in laid:
            forget_outlier(writes, event.event_id)
            add_past_event(writes, room, event, position, snapshot, 0)
            self._follow_relation(event, position, writes)
        self._redact(room, [event for event, _ in laid], writes)
        await asyncio.shield(self._database.submit(writes))
        self._forks.forget(event.event_id for event in allowed)
        return bool(laid)

    async def _is_authorised(self, room: LiveRoom, server: str, event: Event) -> bool:
        try:
            await self._missing.authorities(server, room, event)
        except Refused:
            return False
        found = await self._forks.events(room, event.auth_events)
        if any(link not in found for link in event.auth_events):
            return False
        rejected = {link for link, item in found.items() if item.is_rejected}
        create = room.state.get(("m.room.create", ""))
        return is_authorised(event, [found[link].event for link in event.auth_events], create, rejected)

    def _follow_relation(self, event: Event, position: int, writes: Writes) -> None:
        relation = relation_of(event.content)
        if relation is not None:
            add_relation(writes, Entry(event, position, 0), *relation)

    def _redact(self, room: LiveRoom, events: Sequence[Event], writes: Writes) -> None:
        """Redactions among them; those of what is still further back find it blanked by the server it comes from."""
        by_id = {event.event_id: event for event in events}
        power = power_of(room.state, room.version)
        for redaction in events:
            target = by_id.get(redaction.redacts or "") if redaction.type == "m.room.redaction" else None
            if target is not None and redaction_applies(redaction, target, power):
                pruned = Event(redact(target.pdu, room.version), room.version, target.event_id, room.room_id)
                redact_event(writes, pruned, redaction)
