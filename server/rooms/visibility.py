"""Who may see which events of a room (spec: "Room History Visibility").

A user's sight of a room is decided from two short histories, of the room's visibility and of the user's membership,
each as ``(stream position, value)``. Pure; the loading is done by ``Sights``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.state_store import state_histories, state_history
from server.rooms.timeline import Entry
from server.storage.database import Database

History = Sequence[tuple[int, str]]

_OPEN = ("shared", "world_readable")


def value_at(history: History, position: int, default: str) -> str:
    """The value that holds at ``position``."""
    index = bisect_right(history, position, key=lambda item: item[0])
    return history[index - 1][1] if index else default


@dataclass(frozen=True, slots=True)
class Sight:
    """What one user may see of one room."""

    visibility: History
    membership: History
    sees_all: bool = False

    def sees(self, position: int) -> bool:
        """Whether the event at ``position`` is visible, by the state at that event.

        The event that changes the visibility or the membership itself is judged by the kinder of before and after.
        """
        if self.sees_all:
            return True
        return self._sees_by(position, position) or self._sees_by(position, position - 1)

    def _sees_by(self, position: int, state_position: int) -> bool:
        visibility = value_at(self.visibility, state_position, "shared")
        membership = value_at(self.membership, state_position, "leave")
        if visibility == "world_readable" or membership == "join":
            return True
        if visibility == "invited" and membership == "invite":
            return True
        return visibility == "shared" and any(
            at > position and value == "join" for at, value in self.membership
        )

    def only_visible(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries that this user may see."""
        if self.sees_all:
            return list(entries)
        return [entry for entry in entries if self.sees(entry.stream)]

    @property
    def was_ever_in(self) -> bool:
        """Whether the user has ever been a member."""
        return any(value == "join" for _, value in self.membership)


    @property
    def left_at(self) -> int:
        """When the user left for the last time: what happened later is not for them."""
        for index in range(len(self.membership) - 1, -1, -1):
            if self.membership[index][1] == "join":
                return self.membership[index + 1][0] if index + 1 < len(self.membership) else 2**62
        return 0


SEES_ALL = Sight((), (), sees_all=True)


class Sights:
    """Finds out what users may see."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, room: LiveRoom, user_id: str) -> Sight:
        """The sight of ``user_id``. A member of a room that was always open to its members sees all."""
        visibility = await self._visibility(room)
        if room.membership(user_id) == "join" and all(value in _OPEN for _, value in visibility):
            return SEES_ALL
        rows = await state_history(self._database, room, "m.room.member", user_id)
        return Sight(visibility, [(at, str(event.content.get("membership"))) for at, event in rows])

    async def learn(self, rooms: Iterable[LiveRoom]) -> None:
        """Read together what ``of`` would read of each of these rooms."""
        unknown = {room.nid: room for room in rooms if room.visibility_history is None}
        if len(unknown) > 1:
            found = await state_histories(self._database, unknown, "m.room.history_visibility", "")
            for nid, room in unknown.items():
                _note(room, found[nid])

    async def _visibility(self, room: LiveRoom) -> History:
        known = room.visibility_history
        if known is None:
            known = _note(room, await state_history(self._database, room, "m.room.history_visibility", ""))
        return known


def _note(room: LiveRoom, rows: Sequence[tuple[int, Event]]) -> list[tuple[int, str]]:
    history = [(at, str(event.content.get("history_visibility", "shared"))) for at, event in rows]
    current = room.state.get(("m.room.history_visibility", ""))
    if (rows[-1][1].event_id if rows else None) == (current.event_id if current else None):
        room.visibility_history = history  # not while a change of it is on its way to the disk
    return history
