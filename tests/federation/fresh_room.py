"""A room in a database that grows from the events of others, and peers that know all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.outbox.outbox import Outbox
from server.rooms.accept_event import EventAcceptor
from server.rooms.event import Event, StateKey
from server.rooms.event_store import events
from server.rooms.graph_store import Stored, lowest_position, stored_events
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.membership_store import memberships
from server.rooms.past_state_store import snapshot_at, state_at
from server.rooms.ports import NoPeers, PeerFailed
from server.rooms.receive_event import EventReceiver
from server.rooms.rooms import Rooms
from server.rooms.state_store import add_room, current_state
from server.rooms.to_others import ToOthers
from server.storage.database import Database, Writes
from server.storage.position_store import open_positions
from server.storage.streams import PastPositions
from tests.empty_database import empty_database
from tests.federation.graphs import Graph

NOBODY = "z.example"


@dataclass
class Knowing(NoPeers):
    """Peers that know a whole graph. ``gaps``: they hand out so many missing events at once, or none at all."""

    graph: Graph | None = None
    gaps: int = 0

    def _known(self) -> dict[str, Event]:
        assert self.graph is not None
        return self.graph.by_id()

    async def missing_events(
        self, server: str, room: LiveRoom, earliest: Sequence[str], latest: Sequence[str], limit: int
    ) -> list[Event]:
        """Back from ``latest``, breadth first, up to ``earliest``."""
        if not self.gaps:
            raise PeerFailed("Not today")
        known, found = self._known(), list[str]()
        waiting = [link for event_id in latest if event_id in known for link in known[event_id].prev_events]
        while waiting and len(found) < min(limit, self.gaps):
            event_id = waiting.pop(0)
            if event_id not in earliest and event_id not in found and event_id not in latest:
                found.append(event_id)
                waiting += known[event_id].prev_events
        return [known[event_id] for event_id in reversed(found)]

    async def authorities(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """The auth chain."""
        return self._chain([event_id])[1:]

    async def state_ids_before(self, server: str, room: LiveRoom, event_id: str) -> tuple[list[str], list[str]]:
        """The state as the judge has it."""
        assert self.graph is not None
        before = self.graph.judged.state_over(self._known()[event_id].prev_events)
        return list(before.values()), [event.event_id for event in self._chain(before.values())]

    async def state_before(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """The same, whole."""
        state, chain = await self.state_ids_before(server, room, event_id)
        return await self.events(server, room, [*state, *chain])

    async def events(self, server: str, room: LiveRoom, event_ids: Sequence[str]) -> list[Event]:
        """All that are asked for."""
        known = self._known()
        return [known[event_id] for event_id in event_ids if event_id in known]

    def _chain(self, event_ids: Any) -> list[Event]:
        known, found, waiting = self._known(), dict[str, Event](), list(event_ids)
        while waiting:
            event_id = waiting.pop(0)
            if event_id not in found:
                found[event_id] = known[event_id]
                waiting += known[event_id].auth_events
        return list(found.values())


class Receiver:
    """A node's room core without the node."""

    def __init__(self, database: Database, rooms: Rooms, acceptor: EventAcceptor, receiver: EventReceiver,
                 peers: Knowing) -> None:
        self.database = database
        self.rooms = rooms
        self.acceptor = acceptor
        self.receiver = receiver
        self.peers = peers

    async def takes(self, graph: Graph, order: Sequence[Event], gaps: int) -> LiveRoom:
        """Receive a graph's events in this order, after the create event; ``gaps`` as for ``Knowing``."""
        self.peers.graph, self.peers.gaps = graph, gaps
        await self._begin(graph.events[0])
        rest = [event for event in order if event.event_id != graph.events[0].event_id]
        while rest:
            room = await self.rooms.get(graph.room_id)
            if room.joined_here:
                # As a transaction brings them.
                await self.receiver.receive_all("a.example", graph.room_id, rest[:3])
                rest = rest[3:]
                continue
            with suppress(Refused):
                await self.receiver.take_own(room, rest.pop(0))
        return await self.rooms.get(graph.room_id)

    async def _begin(self, create: Event) -> None:
        tip = Tip([], 0, 0, 0)
        room = LiveRoom(self.rooms.new_number(), create.room_id, create.version, NOBODY, tip, {})
        writes = Writes()
        add_room(writes, room)
        self.acceptor.accept(room, create, writes)
        self.rooms.enter(room)
        await self.database.submit(writes)

    async def restarted(self, room: LiveRoom) -> LiveRoom:
        """The room as it is read from the disk."""
        self.rooms.drop(room)
        self.receiver.forks.forget(list(self.receiver.forks._known))
        return await self.rooms.get(room.room_id)

    async def known(self, room: LiveRoom) -> dict[str, Stored]:
        """All events that are stored of a room."""
        rows = await self.database.fetch_all(select(events.c.event_id).where(events.c.room == room.nid))
        return await stored_events(self.database, room, [row[0] for row in rows])

    async def current_state(self, room: LiveRoom) -> dict[StateKey, str]:
        """The table of that name."""
        rows = await self.database.fetch_all(select(current_state).where(current_state.c.room == room.nid))
        return {(row.type, row.state_key): row.event_id for row in rows}

    async def memberships(self, room: LiveRoom) -> dict[str, str]:
        """The table of that name."""
        rows = await self.database.fetch_all(select(memberships).where(memberships.c.room_id == room.room_id))
        return {row.user_id: row.membership for row in rows}

    async def stored_state(self, room: LiveRoom, position: int) -> dict[StateKey, str]:
        """The state at a position as the database has it."""
        found = await state_at(self.database, room, await snapshot_at(self.database, room, position))
        return ids_of(found)


def ids_of(state: dict[StateKey, Event]) -> dict[StateKey, str]:
    """Event ids by key."""
    return {key: event.event_id for key, event in state.items()}


@asynccontextmanager
async def fresh_receiver(folder: Path) -> AsyncIterator[Receiver]:
    """One on an empty database."""
    async with empty_database(folder / "room.db") as database:
        positions = await open_positions(database)
        rooms = Rooms(database, positions, SystemClock(), NOBODY)
        await rooms.open()
        acceptor, peers = EventAcceptor(rooms, positions), Knowing()
        past = PastPositions(await lowest_position(database))
        receiver = EventReceiver(database, rooms, acceptor, past, peers, ToOthers(Outbox(positions), NOBODY))
        yield Receiver(database, rooms, acceptor, receiver, peers)
