"""A room that is in use, in memory: its current state, its newest events, its ends.

``LiveRoom`` is the tip of the room, events on their way to the disk included. Whoever must show only what is
committed cuts at a stream position: ``state_at`` winds the state back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.foundation.ids import server_name_of
from server.rooms.auth_rules.power_levels import PowerLevels, power_of
from server.rooms.event import Event, StateKey
from server.rooms.room_versions import RoomVersion
from server.rooms.timeline import Entry

# How many entries stay in memory: in a quiet room a page or two, in a busy one those of the last minute.
KEPT_ENTRIES: Final = 120
_MOST_ENTRIES: Final = 2_000
_BUSY_MS: Final = 60_000


@dataclass(slots=True)
class Tip:
    """Where the next event goes on: the ends of the graph, its depth, and the snapshot of the state."""

    extremities: list[str]
    depth: int
    snapshot: int
    # How many snapshots stand between ``snapshot`` and the last whole one.
    chain: int


@dataclass(slots=True)
class Unread:
    """What one member has not read: messages that notify, and among them those that name them.

    ``threads`` counts the same again by thread: ``main`` and the roots of threads.
    """

    notify: int = 0
    highlight: int = 0
    threads: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, thread: str, *, highlight: bool) -> None:
        """One more."""
        self.notify += 1
        self.highlight += highlight
        notify, highlights = self.threads.get(thread, (0, 0))
        self.threads[thread] = (notify + 1, highlights + highlight)

    def read(self, thread: str) -> None:
        """All of a thread is read."""
        notify, highlights = self.threads.pop(thread, (0, 0))
        self.notify -= notify
        self.highlight -= highlights


@dataclass(slots=True)
class LiveRoom:
    """One room. Change it only under ``lock`` and only by ``accept_event``."""

    nid: int
    room_id: str
    version: RoomVersion
    server_name: str
    tip: Tip
    state: dict[StateKey, Event]
    listed: bool = False
    # We have been told of the room (an invitation), but none of us was ever in it: its state is what we were shown.
    outside: bool = False
    # The newest entries; every event after ``complete_after`` is among them.
    timeline: deque[Entry] = field(default_factory=deque)
    complete_after: int = 0
    # Members that are here now, ours apart.
    joined: set[str] = field(default_factory=set)
    joined_here: set[str] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Counted on demand for members who sync; kept up to date as events are published.
    unread: dict[str, Unread] = field(default_factory=dict)
    # Dropped from memory (a commit has failed, or place was needed): nothing may be entered here any more.
    broken: bool = False
    # Commits on their way; a room is dropped from memory only when there are none.
    pending: int = 0
    # (stream position, visibility) since the beginning; loaded when first asked for, see visibility.py.
    visibility_history: list[tuple[int, str]] | None = None

    def member(self, user_id: str) -> Event | None:
        """The current membership event of a user."""
        return self.state.get(("m.room.member", user_id))

    def membership(self, user_id: str) -> str:
        """``join``, ``invite``, ``knock``, ``ban`` or ``leave`` (also for those who never came)."""
        event = self.state.get(("m.room.member", user_id))
        return str(event.content.get("membership", "leave")) if event else "leave"

    def content(self, kind: str, state_key: str = "") -> Mapping[str, object]:
        """The content of a current state event, empty where there is none."""
        event = self.state.get((kind, state_key))
        return event.content if event else {}

    def levels(self) -> PowerLevels:
        """The power levels in force; parsed once."""
        return power_of(self.state, self.version)

    @property
    def create_event(self) -> Event:
        """The event that the room began with."""
        return self.state[("m.room.create", "")]

    @property
    def began_here(self) -> bool:
        """Whether the room was made on this node, so that nothing happened in it before our time."""
        create = self.state.get(("m.room.create", ""))
        return create is not None and server_name_of(create.sender) == self.server_name

    @property
    def room_type(self) -> str | None:
        """``m.space`` for a space."""
        kind = self.content("m.room.create").get("type")
        return kind if isinstance(kind, str) else None

    @property
    def join_rule(self) -> str:
        """Who may join: ``invite`` where nothing is said."""
        return str(self.content("m.room.join_rules").get("join_rule", "invite"))

    @property
    def history_visibility(self) -> str:
        """Who may read the past: ``shared`` where nothing is said."""
        return str(self.content("m.room.history_visibility").get("history_visibility", "shared"))

    @property
    def is_encrypted(self) -> bool:
        """Whether the members encrypt their messages."""
        return ("m.room.encryption", "") in self.state

    def enter(self, entry: Entry) -> None:
        """Lay an accepted event on the tip."""
        event = entry.event
        self.timeline.append(entry)
        self._drop_old_entries(event.origin_server_ts)
        if entry.moved is not None:
            for key, (_, current) in entry.moved.items():
                self._set(key, current)
        elif event.state_key is not None:
            self._set(event.key, event)

    def _set(self, key: StateKey, event: Event | None) -> None:
        if event is None:
            self.state.pop(key, None)
        else:
            self.state[key] = event
        if key[0] == "m.room.member":
            self._note_member(key[1], event)
        elif key[0] == "m.room.history_visibility":
            self.visibility_history = None

    def _drop_old_entries(self, now_ms: int) -> None:
        timeline = self.timeline
        while len(timeline) > KEPT_ENTRIES:
            if len(timeline) <= _MOST_ENTRIES and now_ms - timeline[0].event.origin_server_ts < _BUSY_MS:
                return
            self.complete_after = timeline.popleft().stream

    def _note_member(self, user_id: str, event: Event | None) -> None:
        if event is not None and event.content.get("membership") == "join":
            self.joined.add(user_id)
            if server_name_of(user_id) == self.server_name:
                self.joined_here.add(user_id)
        else:
            self.joined.discard(user_id)
            self.joined_here.discard(user_id)

    def note_members(self) -> None:
        """Fill ``joined`` from the state of a room that was just loaded."""
        for (kind, user_id), event in self.state.items():
            if kind == "m.room.member":
                self._note_member(user_id, event)

    def entries_after(self, position: int, until: int) -> list[Entry] | None:
        """Entries with ``position < stream <= until``, oldest first; ``None`` where memory does not reach back."""
        if position < self.complete_after:
            return None
        found: list[Entry] = []
        for entry in reversed(self.timeline):
            if entry.stream <= position:
                break
            if entry.stream <= until:
                found.append(entry)
        found.reverse()
        return found

    def newest(self, limit: int, until: int) -> list[Entry] | None:
        """The last ``limit`` entries up to ``until``; ``None`` where memory does not reach back so far."""
        found: list[Entry] = []
        for entry in reversed(self.timeline):
            if entry.stream <= until:
                if len(found) == limit:
                    break
                found.append(entry)
        else:
            if len(found) < limit and self.complete_after:
                return None
        found.reverse()
        return found

    def find(self, event_id: str) -> Entry | None:
        """An entry of the newest ones, by event id."""
        for entry in reversed(self.timeline):
            if entry.event.event_id == event_id:
                return entry
        return None

    def state_at(self, position: int) -> dict[StateKey, Event] | None:
        """The state after all events up to ``position``; ``None`` where memory does not reach back so far."""
        if position < self.complete_after:
            return None
        state = self.state
        copied = False
        for entry in reversed(self.timeline):
            if entry.stream <= position:
                break
            if entry.changes:
                if not copied:
                    state, copied = dict(state), True
                _take_back(state, entry)
        return state

    def other_servers(self) -> set[str]:
        """The other servers that have members here."""
        if len(self.joined) == len(self.joined_here):
            return set()
        return {server_name_of(user_id) for user_id in self.joined - self.joined_here}


def _take_back(state: dict[StateKey, Event], entry: Entry) -> None:
    for key, (replaced, _) in entry.changes.items():
        if replaced is None:
            state.pop(key, None)
        else:
            state[key] = replaced


def by_key(events: Iterable[Event]) -> dict[StateKey, Event]:
    """State events as a map."""
    return {event.key: event for event in events}
