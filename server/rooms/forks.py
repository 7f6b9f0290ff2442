"""States of a room away from its tip: after any event that is known, and over several such states.

Reads only; what it finds is laid down by ``accept_event``. A room whose graph is a straight line never comes here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from server.rooms.event import Event, StateKey
from server.rooms.graph_store import Stored, stored_events
from server.rooms.live_room import LiveRoom
from server.rooms.past_state_store import chained_state_ids
from server.rooms.placement import State, StoredState
from server.rooms.state_resolution import resolve
from server.storage.database import Database

# Auth events are asked for again and again while a fork lasts.
_KEPT: Final = 5_000


class Forks:
    """Finds states."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, Stored] = OrderedDict()

    async def after(self, room: LiveRoom, stored: Iterable[Stored]) -> list[StoredState]:
        """The states after these events, each once."""
        snapshots = dict.fromkeys(item.snapshot for item in stored if item.has_state)
        return [await self.read(room, snapshot) for snapshot in snapshots]

    async def read(self, room: LiveRoom, snapshot: int) -> StoredState:
        """The state that is stored as ``snapshot``."""
        if snapshot == room.tip.snapshot:
            return StoredState(dict(room.state), snapshot, room.tip.chain)
        ids, chain = await chained_state_ids(self._database, snapshot)
        at_hand = {event.event_id: event for event in room.state.values()}
        missing = [event_id for event_id in ids.values() if event_id not in at_hand]
        at_hand |= {key: item.event for key, item in (await self.events(room, missing)).items()}
        return StoredState({key: at_hand[event_id] for key, event_id in ids.items()}, snapshot, chain)

    async def over(
        self, room: LiveRoom, states: Sequence[StoredState], new: Event | None = None
    ) -> StoredState:
        """The one state that follows from several: one of them, where all are alike, or what resolution makes.

        ``new`` is an event of theirs that is not stored yet.
        """
        sets = [_ids(item.state) for item in states]
        for item, found in zip(states, sets, strict=True):
            if all(found == other for other in sets):
                return item
        named = {event_id for found in sets for event_id in found.values()}
        chains = await self.with_chains(room, named.union(new.auth_events if new is not None else ()))
        events = {event_id: item.event for event_id, item in chains.items()}
        if new is not None:
            events[new.event_id] = new
        rejected = {event_id for event_id, item in chains.items() if item.is_rejected}
        resolved = resolve(room.version, sets, events, rejected)
        return StoredState({key: events[event_id] for key, event_id in resolved.items()})

    async def with_chains(self, room: LiveRoom, event_ids: Iterable[str]) -> dict[str, Stored]:
        """These events and all that they rest on, as far as they are known."""
        found: dict[str, Stored] = {}
        waiting = set(event_ids)
        if room.version.room_id_is_create_hash:
            waiting.add(f"${room.room_id[1:]}")
        while waiting:
            batch = await self.events(room, waiting)
            found |= batch
            waiting = {link for item in batch.values() for link in item.event.auth_events if link not in found}
        return found

    async def events(self, room: LiveRoom, event_ids: Iterable[str]) -> dict[str, Stored]:
        """Those of these events that are known."""
        wanted = list(event_ids)
        found = {event_id: self._known[event_id] for event_id in wanted if event_id in self._known}
        read = await stored_events(self._database, room, [event_id for event_id in wanted if event_id not in found])
        for event_id, item in read.items():
            if item.event.state_key is not None:
                self._known[event_id] = item
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found | read

    def forget(self, event_ids: Iterable[str]) -> None:
        """What is known of these events is changing."""
        for event_id in event_ids:
            self._known.pop(event_id, None)


def _ids(state: State) -> dict[StateKey, str]:
    return {key: event.event_id for key, event in state.items()}


def with_create(event: Event, authorities: Iterable[Event], create: Event | None) -> dict[StateKey, Event]:
    """What an event rests on, by key; since version 12 on the create event without naming it."""
    found = {item.key: item for item in authorities if item.state_key is not None}
    if event.version.room_id_is_create_hash and create is not None:
        found["m.room.create", ""] = create
    return found
