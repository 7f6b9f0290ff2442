"""Devices, keys and what passes, between us and other servers, together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from federation.outbound.far_devices import FarDevices
from federation.outbound.far_keys import FarKeys
from federation.outbound.own_devices import OwnDevices
from federation.outbound.passing_news import PassingNews
from server.foundation.ids import server_name_of
from server.foundation.tasks import Tasks
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything that goes between servers and is no event of a room."""

    own_devices: OwnDevices
    far_devices: FarDevices
    far_keys: FarKeys
    passing: PassingNews
    tasks: Tasks
    server_name: str

    def follow(self, room: LiveRoom, entry: Entry) -> None:
        """A listener of committed events: people of other servers, or we, have come near or gone."""
        moved = {user_id: current for (kind, user_id), (_, current) in entry.changes.items() if kind == "m.room.member"}
        if not moved or (len(room.joined) == len(room.joined_here) and not self._is_far(moved)):
            return
        self.passing.follow(room, entry)
        gone = [
            user_id for user_id, current in moved.items()
            if current is None or current.content.get("membership") != "join"
        ]
        theirs = [user_id for user_id in gone if self._is_far([user_id])]
        if theirs:
            self.far_devices.went(theirs, room.room_id)
        if len(theirs) < len(gone):
            self.far_devices.went(room.joined - room.joined_here)

    def _is_far(self, user_ids: Iterable[str]) -> bool:
        return any(server_name_of(user_id) != self.server_name for user_id in user_ids)
