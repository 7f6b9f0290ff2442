"""Who may see which events of a room (spec: "Room History Visibility").

A user's sight of a room is decided from two short histories, of the room's visibility and of the user's membership,
each as ``(stream position, value)``. Pure; the loading is done by ``Sights``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.past_state_store import state_histories, state_history, state_when_we_came
from server.rooms.redaction import redact
from server.rooms.timeline import Entry, Json
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
    # People who have asked to be forgotten, as far as they were in this room: what they said is shown without its
    # content to those who were not in the room with them (spec, "Account deactivation": ``erase``).
    erased: frozenset[str] = frozenset()

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
        if self.sees_all and not self.erased:
            return list(entries)
        return [self.shown(entry) for entry in entries if self.sees(entry.stream)]

    def shown(self, entry: Entry) -> Entry:
        """An entry that this user may see, with what is bundled to it; without the content of those who are to be
        forgotten.
        """
        if not self.erased or value_at(self.membership, entry.stream, "leave") == "join":
            return entry
        event, related = entry.event, _without(self.erased, entry.related)
        is_bare = event.sender in self.erased and (event.state_key is None or event.type == "m.room.member")
        if not is_bare and related is entry.related:
            return entry
        if is_bare:
            event = Event(redact(event.pdu, event.version), event.version, event.event_id, event.room_id)
        shown = Entry(event, entry.stream, entry.snapshot, flags=entry.flags)
        shown.related, shown.participants, shown.redacted_because = related, entry.participants, entry.redacted_because
        return shown

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
_NOBODY: Final[frozenset[str]] = frozenset()
_KEPT: Final = 10_000
_EVER: Final = -(2**62)


class Sights:
    """Finds out what users may see."""

    def __init__(self, database: Database, erased: Collection[str] = ()) -> None:
        self._database = database
        self._erased = erased
        # By room: how many had asked to be forgotten then, and which of them were in the room.
        self._erased_in: dict[str, tuple[int, frozenset[str]]] = {}
        # By room and user: the membership that it was read for, and what was read.
        self._kept: OrderedDict[tuple[str, str], tuple[Event | None, Sight]] = OrderedDict()

    async def was_always_open(self, room: LiveRoom) -> bool:
        """Whether the past of the room was never hidden from its members."""
        return all(value in _OPEN for _, value in await self._visibility(room))

    async def of(self, room: LiveRoom, user_id: str) -> Sight:
        """The sight of ``user_id``. A member of a room that was always open to its members sees all."""
        visibility = await self._visibility(room)
        erased = self._erased_members(room) if self._erased else _NOBODY
        if room.membership(user_id) == "join" and all(value in _OPEN for _, value in visibility):
            return await self._nearly_all(room, user_id, erased) if erased else SEES_ALL
        return Sight(visibility, await self.memberships(room, user_id), erased=erased)

    async def _nearly_all(self, room: LiveRoom, user_id: str, erased: frozenset[str]) -> Sight:
        """All, but what people said who are to be forgotten; read once for each membership."""
        key, member = (room.room_id, user_id), room.member(user_id)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is member and kept[1].erased == erased:
            return kept[1]
        sight = Sight((), await self.memberships(room, user_id), sees_all=True, erased=erased)
        self._kept[key] = (member, sight)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return sight

    async def memberships(self, room: LiveRoom, user_id: str) -> History:
        """What a user was in a room, and since which positions."""
        rows = await state_history(self._database, room, "m.room.member", user_id)
        return [(at, str(event.content.get("membership"))) for at, event in rows]

    def _erased_members(self, room: LiveRoom) -> frozenset[str]:
        known = self._erased_in.get(room.room_id)
        if known is None or known[0] != len(self._erased):
            found = frozenset(user_id for user_id in self._erased if room.member(user_id) is not None)
            known = self._erased_in[room.room_id] = (len(self._erased), found)
        return known[1]

    async def learn(self, rooms: Iterable[LiveRoom]) -> None:
        """Read together what ``of`` would read of each of these rooms."""
        unknown = {room.nid: room for room in rooms if room.visibility_history is None}
        if len(unknown) > 1:
            found = await state_histories(self._database, unknown, "m.room.history_visibility", "")
            for nid, room in unknown.items():
                _note(room, await self._when_we_came(room) + found[nid])

    async def _visibility(self, room: LiveRoom) -> History:
        known = room.visibility_history
        if known is None:
            rows = await state_history(self._database, room, "m.room.history_visibility", "")
            known = _note(room, await self._when_we_came(room) + rows)
        return known

    async def _when_we_came(self, room: LiveRoom) -> list[tuple[int, Event]]:
        """The visibility of a room of another server when this node came into it: it holds for all that is before."""
        if room.began_here:
            return []
        event = await state_when_we_came(self._database, room, "m.room.history_visibility", "")
        return [] if event is None else [(_EVER, event)]


def _without(erased: frozenset[str], related: Json | None) -> Json | None:
    """What is bundled to an event, without the content of these people; the same object where it has none."""
    kept = dict(related or {})
    if kept.get("m.replace", {}).get("sender") in erased:
        del kept["m.replace"]
    thread = kept.get("m.thread", {})
    latest = thread.get("latest_event", {})
    if latest.get("sender") in erased:
        bare = {name: value for name, value in latest.items() if name != "unsigned"}
        kept["m.thread"] = {**thread, "latest_event": {**bare, "content": {}}}
    return related if kept == (related or {}) else kept


def _note(room: LiveRoom, rows: Sequence[tuple[int, Event]]) -> list[tuple[int, str]]:
    history = [(at, str(event.content.get("history_visibility", "shared"))) for at, event in rows]
    current = room.state.get(("m.room.history_visibility", ""))
    if (rows[-1][1].event_id if rows else None) == (current.event_id if current else None):
        room.visibility_history = history  # not while a change of it is on its way to the disk
    return history
