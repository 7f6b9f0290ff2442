"""Board, groups and gallery: what neighbours share with each other.

Their projections keep nothing in memory, so nothing of them is loaded at the start, whatever the tables hold: they come
with the first event that concerns them, or with the first page (docs/decisions/0008). The verbs are for pages only.
"""

from __future__ import annotations

import importlib
from typing import Final

from server.assembly.core import Core
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

_KINDS: Final = ("m.room.message", "m.room.redaction", "m.room.member")


class CommonLife:
    """Follows the rooms of the board and of groups, once there is something to follow. ``passing``: see ``Ground``."""

    def __init__(self, core: Core, members: Members) -> None:
        self._core = core
        self._members = members
        self._is_attached = False
        self.passing: set[str] = set()
        core.acceptor.project(self._knock, _KINDS)

    def attach(self) -> None:
        """Follow from now on; from this very event on, where it is called for one: what is attached meanwhile stands at
        the end of the list of projections that is being walked.
        """
        if not self._is_attached:
            self._is_attached = True
            importlib.import_module("server.assembly.common_features").attach(
                self._core, self._members, self.passing)

    def _knock(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if self._is_attached:
            return
        place = self._members.rooms.of_id(room.room_id)
        if place is None:
            return
        is_group = place.key.startswith("group:")
        is_member = entry.event.type == "m.room.member"
        # Gatherings, duties and polls are told on the board too, by the node; of these nothing is kept here.
        is_said = entry.event.sender != self._members.node_user_id
        if (is_group and (not is_member or entry.event.content.get("membership") == "knock")) or (
            place.key == Purpose.BOARD.value and not is_member and is_said
        ):
            self.attach()
