"""Files that are sent to the rooms of groups, and people who knock there; in the transaction of the event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.association.groups import groups_store as store
from server.association.groups.model import GroupFile
from server.association.members.members import Members
from server.media.pictures import picture_in
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody has asked to be let in."""

    group_id: str
    user_id: str


class GroupProjection:
    """Keeps the table in step with the rooms. ``on_knock`` hears of a knock that is on disk."""

    def __init__(self, members: Members, on_knock: Callable[[Knock], None]) -> None:
        self._members = members
        self._on_knock = on_knock

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._redaction, ["m.room.redaction"])
        acceptor.project(self._member, ["m.room.member"])

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        file = picture_in(entry.event.content) if self._group_of(room) else None
        if file is not None:
            event = entry.event
            item = GroupFile(event.event_id, room.room_id, event.sender, file, event.origin_server_ts)
            store.add_file(writes, item)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if entry.event.redacts is not None and "\0" not in entry.event.redacts and self._group_of(room):
            store.drop_file(writes, entry.event.redacts)

    def _member(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        group_id, event = self._group_of(room), entry.event
        if group_id and event.content.get("membership") == "knock":
            knock = Knock(group_id, event.sender)
            writes.after_commit.append(lambda: self._on_knock(knock))

    def _group_of(self, room: LiveRoom) -> str:
        place = self._members.rooms.of_id(room.room_id)
        is_group = place is not None and place.key.startswith("group:")
        return place.key.removeprefix("group:") if is_group and place is not None else ""
