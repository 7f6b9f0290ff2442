"""The threads of a room (spec: "Querying threads in a room")."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from server.rooms.event import Event
from server.rooms.event_store import entries_by_id
from server.rooms.history import History
from server.rooms.live_room import LiveRoom
from server.rooms.redaction import redact
from server.rooms.relations import THREAD, bundle_all, bundle_without
from server.rooms.thread_store import newest_threads
from server.rooms.timeline import Entry
from server.storage.database import Database

_MOST_STEPS: Final = 20
_NEWEST: Final = 2**62


class Threads:
    """Lists threads on behalf of users."""

    def __init__(self, database: Database, history: History) -> None:
        self._database = database
        self._history = history

    async def page(
        self, room_id: str, user_id: str, before: int | None, limit: int,
        *, participated: bool = False, ignored: Collection[str] = (),
    ) -> tuple[Sequence[Entry], int | None]:
        """Up to ``limit`` roots that the user sees, by their newest answer, and the position to go on ``before``.

        What somebody whom the user ignores has written is left out. Raises ``Forbidden``.
        """
        room, sight = await self._history.access(room_id, user_id)
        participant = user_id if participated else None
        found: list[Entry] = []
        position: int | None = before or _NEWEST
        for _ in range(_MOST_STEPS):
            missing = limit - len(found)
            listed = await newest_threads(self._database, room, position or 0, missing + 1, participant)
            roots = await self._roots(room, [root for root, _ in listed[:missing]])
            shown = [await self._shown(room, entry, ignored) for entry in sight.only_visible(roots)]
            found += [entry for entry in shown if entry is not None]
            position = listed[missing - 1][1] if len(listed) > missing else None
            if position is None or len(found) == limit:
                break
        return found, position

    async def _shown(self, room: LiveRoom, entry: Entry, ignored: Collection[str]) -> Entry | None:
        """Without what ignored people have said; ``None`` where nobody else has answered."""
        if ignored and not (entry.participants or set()).isdisjoint(ignored):
            entry = await bundle_without(self._database, room, entry, ignored)
            if THREAD not in (entry.related or {}):
                return None
        return _without_words(entry) if entry.event.sender in ignored else entry

    async def _roots(self, room: LiveRoom, event_ids: Sequence[str]) -> list[Entry]:
        entries = {entry.event.event_id: entry for entry in await entries_by_id(self._database, room, event_ids)}
        await bundle_all(self._database, room, list(entries.values()))
        return [entries[event_id] for event_id in event_ids if event_id in entries]


def _without_words(entry: Entry) -> Entry:
    event = entry.event
    pruned = Event(redact(event.pdu, event.version), event.version, event.event_id, event.room_id)
    shown = Entry(pruned, entry.stream, entry.snapshot)
    shown.related, shown.participants = entry.related, entry.participants
    return shown
