"""What ``/sync`` says of one room: timeline, state, receipts, counts. Made of bytes that are shared by all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from server.foundation.clock import Clock
from server.rooms.event import Event, StateKey
from server.rooms.event_store import entries_between
from server.rooms.live_room import LiveRoom, Unread
from server.rooms.past_state_store import snapshot_at, state_at, state_changes
from server.rooms.relations import bundle_all
from server.rooms.timeline import Entry, state_bytes
from server.rooms.visibility import History, Sight, value_at
from server.storage.database import Database
from server.sync.filters import EventFilter, Filter
from server.sync.tokens import SyncToken


class Span(NamedTuple):
    """A piece of a room's timeline: after ``start``; ``limited`` where earlier events were left out."""

    entries: Sequence[Entry]
    limited: bool
    # Position before the first entry: where /messages goes on backwards.
    start: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and how."""

    user_id: str
    device_id: str
    filter: Filter
    state_after: bool


class RoomReader:
    """Reads pieces of rooms, from memory where it reaches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def now_ms(self) -> int:
        """The moment of an answer: events tell how old they are."""
        return self._clock.now_ms()

    async def newest(self, room: LiveRoom, until: int, limit: int, sight: Sight, wanted: EventFilter) -> Span:
        """The newest events that the viewer may see and wants, with ``limit`` at most."""
        return await self._back(room, 0, until, limit, sight, wanted)

    async def after(
        self, room: LiveRoom, since: int, until: int, limit: int, sight: Sight, wanted: EventFilter
    ) -> Span:
        """What is new after ``since``: the newest ``limit`` of it."""
        entries = room.entries_after(since, until)
        if entries is None:
            return await self._back(room, since, until, limit, sight, wanted)
        if not sight.sees_all or not wanted.wants_all:
            entries = [entry for entry in sight.only_visible(entries) if wanted.wants(entry.event)]
        if len(entries) <= limit:
            return Span(entries, False, since)
        cut = entries[len(entries) - limit:] if limit else []
        return Span(cut, True, cut[0].stream - 1 if cut else until)

    async def _back(
        self, room: LiveRoom, since: int, until: int, limit: int, sight: Sight, wanted: EventFilter
    ) -> Span:
        """Walk back from ``until`` until there are ``limit`` wanted events, or the beginning is reached."""
        found: list[Entry] = []
        position, steps = until, 0
        while len(found) <= limit and position > since and steps < 20:
            batch = await self.page_back(room, since, position, limit + 1)
            if not batch:
                break
            position = batch[-1].stream - 1
            found += [entry for entry in sight.only_visible(batch) if wanted.wants(entry.event)]
            steps += 1
        limited = len(found) > limit
        kept = found[:limit]
        kept.reverse()
        start = kept[0].stream - 1 if kept and (limited or since == 0) else (until if limited else since)
        return Span(kept, limited, start)

    async def page_back(self, room: LiveRoom, after: int, until: int, limit: int) -> Sequence[Entry]:
        """Up to ``limit`` entries with ``after < stream <= until``, the newest first."""
        in_memory = room.newest(limit, until)
        if in_memory is not None:
            return [entry for entry in reversed(in_memory) if entry.stream > after]
        entries = await entries_between(self._database, room, after, until, limit, newest_first=True)
        await bundle_all(self._database, room, entries)
        return entries

    async def state_at(self, room: LiveRoom, position: int) -> dict[StateKey, Event]:
        """The state after all events up to ``position``."""
        state = room.state_at(position)
        if state is not None:
            return state
        return await state_at(self._database, room, await snapshot_at(self._database, room, position))

    async def with_unseen(
        self, room: LiveRoom, state: dict[StateKey, Event], span: Span, until: int
    ) -> dict[StateKey, Event]:
        """``state`` before a piece of timeline, with what has changed since without being shown in it.

        Because the viewer was not yet in the room, or because a filter has left it out.
        """
        if not span.entries:
            return state
        changed = await self.state_between(room, span.entries[0].stream - 1, until)
        shown = {entry.event.event_id for entry in span.entries}
        unseen = {key: event for key, event in changed.items() if event.event_id not in shown}
        return {**state, **unseen} if unseen else state

    async def state_between(self, room: LiveRoom, after: int, until: int) -> dict[StateKey, Event]:
        """What has changed of the state: the last event of each key with ``after < stream <= until``."""
        entries = room.entries_after(after, until)
        if entries is None:
            return await state_changes(self._database, room, after, until)
        found: dict[StateKey, Event] = {}
        for entry in entries:
            found |= {key: event for key, (_, event) in entry.changes.items() if event is not None}
        return found


class Stay(NamedTuple):
    """What the viewer was in the room: in it since ``since``, and before as ``history`` says."""

    since: int
    history: History = ()

    def at(self, position: int) -> bytes:
        """The membership at an event."""
        return b"join" if position >= self.since else value_at(self.history, position, "leave").encode()


def moves_unseen(span: Span) -> bool:
    """Whether some event may have moved more of the state than it shows: in a room that forked, or at our arrival."""
    return any(entry.moved is not None or entry.room_snapshot is not None for entry in span.entries)


def timeline_json(span: Span, viewer: Viewer, stay: Stay, now_ms: int) -> bytes:
    """The ``timeline`` of a room. By their age clients know calls and verifications that are over."""
    if viewer.filter.event_fields or viewer.filter.federation_format:
        events = b",".join(_filtered_bytes(entry, viewer) for entry in span.entries)
    else:
        events = b",".join(
            [_with_unsigned(
                entry.bytes_for(viewer.user_id, viewer.device_id),
                b'"age":%d,"membership":"%b"' % (
                    max(0, now_ms - entry.event.origin_server_ts), stay.at(entry.stream)
                ),
             ) for entry in span.entries]
        )
    limited = b"true" if span.limited else b"false"
    return b'{"events":[%b],"limited":%b,"prev_batch":"%b"}' % (events, limited, str(SyncToken(span.start)).encode())


def with_membership(event: bytes, membership: bytes) -> bytes:
    """An event with ``unsigned.membership``, what the viewer was then."""
    return _with_unsigned(event, b'"membership":"%b"' % membership)


def _with_unsigned(event: bytes, more: bytes) -> bytes:
    """An event with more in ``unsigned``, which is the last part if there is one; an event without ends with a text."""
    if event.endswith(b"}}"):
        return b"%b,%b}}" % (event[:-2], more)
    return b'%b,"unsigned":{%b}}' % (event[:-1], more)


def empty_timeline(now: SyncToken) -> bytes:
    """The ``timeline`` of a room that has other news only."""
    return b'{"events":[],"limited":false,"prev_batch":"%b"}' % str(SyncToken(now.stream)).encode()


def _filtered_bytes(entry: Entry, viewer: Viewer) -> bytes:
    """An event with only the fields that the filter names, or in the federation's form."""
    if viewer.filter.federation_format:
        return orjson.dumps({**entry.event.pdu, "event_id": entry.event.event_id})
    shown = entry.shown_to(viewer.user_id, viewer.device_id, with_room_id=False)
    kept: dict[str, object] = {}
    for path in viewer.filter.event_fields:
        _copy_path(shown, kept, path.replace("\\.", "\0").split("."))
    return orjson.dumps(kept)


def _copy_path(source: dict[str, object], target: dict[str, object], path: list[str]) -> None:
    name = path[0].replace("\0", ".")
    if name not in source:
        return
    value = source[name]
    if len(path) == 1:
        target[name] = value
    elif isinstance(value, dict):
        inner = target.setdefault(name, {})
        if isinstance(inner, dict):
            _copy_path(value, inner, path[1:])


def state_json(events: Collection[Event]) -> bytes:
    """A list of state events."""
    return b'{"events":[%b]}' % b",".join([state_bytes(event) for event in events])


def unread_json(unread: Unread, *, by_thread: bool) -> bytes:
    """``unread_notifications``; with ``by_thread`` those of threads apart (spec: "Threaded read receipts")."""
    notify, highlight = unread.notify, unread.highlight
    if by_thread:
        notify, highlight = unread.threads.get("main", (0, 0))
    told = b'"unread_notifications":{"notification_count":%d,"highlight_count":%d}' % (notify, highlight)
    threads = {
        root: {"notification_count": counts[0], "highlight_count": counts[1]}
        for root, counts in unread.threads.items() if root != "main"
    }
    return told + b',"unread_thread_notifications":' + orjson.dumps(threads) if by_thread and threads else told


def members_of(span: Span, state: dict[StateKey, Event], also: Iterable[str] = ()) -> list[Event]:
    """The member events of everybody who speaks in a piece of timeline."""
    wanted = dict.fromkeys([*(entry.event.sender for entry in span.entries), *also])
    found = (state.get(("m.room.member", user_id)) for user_id in wanted)
    return [event for event in found if event is not None]
