"""The one place where an event enters a room.

Local and remote events meet here, after their checks. Everything that follows from an event is written in the same
transaction: state, relations, and what the projections add (read states, tallies, outbox rows). Listeners hear of
it after the commit, in stream order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from server.rooms.event import Event
from server.rooms.event_store import add_event, add_relation, add_transaction, redact_event
from server.rooms.live_room import LiveRoom, Tip
from server.rooms.past_state_store import WHOLE_EVERY, add_snapshot
from server.rooms.placement import Placement, State, StoredState
from server.rooms.redaction import redact
from server.rooms.relations import bundle, relation_of, show_in_thread
from server.rooms.rooms import Rooms
from server.rooms.state_store import drop_current_state, move_tip, set_current_state
from server.rooms.timeline import REJECTED, UNSEEN, Entry, Moves, client_event
from server.storage.database import Writes
from server.storage.streams import StreamPositions

# Looks at an accepted event and adds rows; may set flags of the entry. Must not wait for anything.
Projection = Callable[[LiveRoom, Entry, Writes], None]
# Hears of an event that is committed.
Listener = Callable[[LiveRoom, Entry], None]

TxnKey = tuple[str, str, str, str]


class EventAcceptor:
    """Lays accepted events on the tip of their room and gathers all rows that must be written with them."""

    def __init__(self, rooms: Rooms, positions: StreamPositions) -> None:
        self._rooms = rooms
        self._positions = positions
        self._projections: list[Projection] = []
        self._by_type: dict[str, list[Projection]] = {}
        self._listeners: list[Listener] = []

    def project(self, projection: Projection, kinds: Iterable[str] | None = None) -> None:
        """Run ``projection`` on every event, or on those of the given types."""
        if kinds is None:
            self._projections.append(projection)
            return
        for kind in kinds:
            self._by_type.setdefault(kind, []).append(projection)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` after the commit of every event."""
        self._listeners.append(listener)

    def accept(
        self,
        room: LiveRoom,
        event: Event,
        writes: Writes,
        *,
        txn: TxnKey | None = None,
        redacting: Entry | None = None,
        flags: int = 0,
        placement: Placement | None = None,
    ) -> Entry:
        """Enter ``event``, whose checks are done, under the room's lock. The caller submits ``writes``.

        It goes on the tip, or where ``placement`` says. With ``flags`` of ``UNSEEN`` it is kept beside the room.
        Where this raises, the caller undoes what ``writes.on_failure`` names.
        """
        stream = self._positions.allocate()
        room.pending += 1
        writes.holds.append(lambda: not room.broken)
        writes.on_failure.append(lambda: self._failed(room, stream))
        entry = Entry(event, stream, room.tip.snapshot, flags=flags, txn=f"{txn[1]} {txn[3]}" if txn else None)
        if placement is not None:
            self._place(room, entry, placement, writes)
        elif not flags & UNSEEN:
            self._lay_on_tip(room, entry, writes)
        if txn is not None:
            add_transaction(writes, txn, event.event_id, event.origin_server_ts)
        if not flags & UNSEEN:
            self._run_projections(room, entry, writes)
        add_event(writes, room, entry)
        if not flags & UNSEEN:
            room.enter(entry)
            self._follow_relation(entry, writes)
        if redacting is not None:
            self.redact(room, redacting, event, writes)
        writes.after_commit.append(lambda: self._committed(room, entry))
        return entry

    def _lay_on_tip(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Advance the ends of the graph; for a state event also the state."""
        event, tip = entry.event, room.tip
        ends = [end for end in tip.extremities if end not in event.prev_events]
        ends.append(event.event_id)
        snapshot, chain = tip.snapshot, tip.chain
        if event.state_key is not None:
            entry.replaced = room.state.get(event.key)
            before = StoredState(room.state, snapshot, chain)
            snapshot, chain = _add_state_after(before, event, entry.stream, writes)
            set_current_state(writes, room, event, entry.stream, entry.replaced)
        room.tip = Tip(ends, max(tip.depth, event.depth), snapshot, chain)
        entry.snapshot = snapshot
        move_tip(writes, room)

    def _place(self, room: LiveRoom, entry: Entry, placement: Placement, writes: Writes) -> None:
        """Like ``_lay_on_tip`` for an event that other events stand beside."""
        event, before = entry.event, placement.before
        if not before.snapshot:
            before = self._store_whole(before.state, writes)
        snapshot, chain = before.snapshot, before.chain
        if event.state_key is not None and not entry.flags & REJECTED:
            snapshot, chain = _add_state_after(before, event, entry.stream, writes)
        entry.snapshot = snapshot
        if entry.flags & UNSEEN:
            return
        entry.moved = _moves(room.state, placement.after)
        entry.replaced = entry.moved.get(event.key, (None, None))[0] if event.state_key is not None else None
        if len(placement.ends) > 1 and (entry.moved or snapshot != room.tip.snapshot):
            mixed = self._store_mixed(room, entry.moved, placement.after, writes)
            snapshot, chain = mixed.snapshot, mixed.chain
            entry.room_snapshot = snapshot
        elif entry.moved.keys() - ({event.key} if event.state_key is not None else ()):
            # More has moved than the event shows; who reads it from the disk must see that.
            entry.room_snapshot = snapshot
        self._move_state(room, entry, writes)
        room.tip = Tip(placement.ends, max(room.tip.depth, event.depth), snapshot, chain)
        move_tip(writes, room)

    def _move_state(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        for key, (replaced, current) in entry.changes.items():
            if current is None:
                drop_current_state(writes, room, key, entry.stream)
            else:
                set_current_state(writes, room, current, entry.stream, replaced)

    def _store_whole(self, state: State, writes: Writes) -> StoredState:
        snapshot = self._own_position(writes)
        add_snapshot(writes, snapshot, None, state.values())
        return StoredState(state, snapshot)

    def _store_mixed(self, room: LiveRoom, moves: Moves, state: State, writes: Writes) -> StoredState:
        """The room's own state, which is that after none of its events alone."""
        tip = room.tip
        if not moves:
            return StoredState(state, tip.snapshot, tip.chain)
        if tip.chain >= WHOLE_EVERY or any(current is None for _, current in moves.values()):
            return self._store_whole(state, writes)
        snapshot = self._own_position(writes)
        add_snapshot(writes, snapshot, tip.snapshot, [current for _, current in moves.values() if current is not None])
        return StoredState(state, snapshot, tip.chain + 1)

    def _own_position(self, writes: Writes) -> int:
        """A position for a snapshot that belongs to no event."""
        position = self._positions.allocate()
        writes.after_commit.append(lambda: self._positions.finish(position))
        writes.on_failure.append(lambda: self._positions.finish(position))
        return position

    def _run_projections(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        for projection in self._projections:
            projection(room, entry, writes)
        for projection in self._by_type.get(entry.event.type, ()):
            projection(room, entry, writes)

    def _follow_relation(self, entry: Entry, writes: Writes) -> None:
        relation = relation_of(entry.event.content)
        if relation is not None:
            add_relation(writes, entry, *relation)

    def redact(self, room: LiveRoom, target: Entry, redaction: Event, writes: Writes) -> None:
        """Prune the target in memory and on disk; its content is gone for good."""
        pruned: dict[str, Any] = redact(target.event.pdu, room.version)
        event = Event(pruned, room.version, target.event.event_id, room.room_id)
        redact_event(writes, event, redaction)
        for entry in (target, room.find(event.event_id)):
            if entry is not None:
                entry.event, entry.redacted_because, entry.related = event, client_event(redaction), None
                entry.participants = None
                entry.forget_bytes()
        if event.state_key is not None:
            self._redact_state(room, event)

    def _redact_state(self, room: LiveRoom, pruned: Event) -> None:
        """The old content must not shine through where it is today's state, or what a later state has replaced."""
        current = room.state.get(pruned.key)
        if current is not None and current.event_id == pruned.event_id:
            room.state[pruned.key] = pruned
        for entry in room.timeline:
            if entry.replaced is not None and entry.replaced.event_id == pruned.event_id:
                entry.replaced = pruned
                entry.forget_bytes()

    def _committed(self, room: LiveRoom, entry: Entry) -> None:
        self._rooms.release(room)
        self._positions.finish(entry.stream)
        self._bundle(room, entry)
        if entry.flags & UNSEEN:
            return
        for listener in self._listeners:
            listener(room, entry)

    def _bundle(self, room: LiveRoom, entry: Entry) -> None:
        if "m.relates_to" in entry.event.content and not entry.flags & UNSEEN:
            relation = relation_of(entry.event.content)
            target = room.find(relation[0]) if relation else None
            if target is not None and target.redacted_because is None:
                bundle(target, entry)
                show_in_thread(room, target)

    def _failed(self, room: LiveRoom, stream: int) -> None:
        self._rooms.drop(room)
        self._rooms.release(room)
        self._positions.finish(stream)


def _add_state_after(before: StoredState, event: Event, stream: int, writes: Writes) -> tuple[int, int]:
    """Store the state after a state event; now and then whole, so that the walk to it stays short."""
    if before.chain >= WHOLE_EVERY:
        add_snapshot(writes, stream, None, ({**before.state, event.key: event}).values())
        return stream, 0
    add_snapshot(writes, stream, before.snapshot or None, [event])
    return stream, before.chain + 1


def _moves(old: State, new: State) -> Moves:
    """What differs between two states."""
    changed = {key: (old.get(key), event) for key, event in new.items() if _id(old.get(key)) != event.event_id}
    gone = {key: (event, None) for key, event in old.items() if key not in new}
    return {**changed, **gone}


def _id(event: Event | None) -> str | None:
    return event.event_id if event is not None else None
