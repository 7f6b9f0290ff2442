"""From events to the table of hazard reports, in the transaction of the event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from server.association.hazards import hazards_store as store
from server.association.hazards.contents import HAZARD, STATE, read_report, read_state
from server.association.hazards.model import Hazard, HazardState
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import REJECTED, SOFT_FAILED, Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)
_NOT_IN_FORCE: Final = REJECTED | SOFT_FAILED


class HazardProjection:
    """Keeps the table in step with the board. ``on_change`` is called after each commit that changed it."""

    def __init__(self, members: Members, on_change: Callable[[], None]) -> None:
        self._members = members
        self._on_change = on_change

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._redaction, ["m.room.redaction"])

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        content = entry.event.content
        if HAZARD in content:
            self._report(room, entry, writes)
        elif STATE in content and entry.event.sender == self._members.node_user_id:
            self._state(entry, writes)

    def _report(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """Only who is on the roster reports, only in the board, and an edit reports nothing."""
        event = entry.event
        if room.room_id != self._members.rooms.find(Purpose.BOARD.value) or "m.relates_to" in event.content:
            return
        if self._members.person_of_user(event.sender) is None or entry.flags & _NOT_IN_FORCE:
            return
        try:
            sight = read_report(event.content)
        except _UNREADABLE:
            logger.info("a hazard report could not be read")
            return
        store.add_hazard(writes, Hazard(
            event.event_id.removeprefix("$"), room.room_id, sight, HazardState.REPORTED, "", event.sender,
            event.origin_server_ts, event.origin_server_ts,
        ))
        writes.after_commit.append(self._on_change)

    def _state(self, entry: Entry, writes: Writes) -> None:
        try:
            change = read_state(entry.event.content)
        except _UNREADABLE:
            logger.warning("the state of a hazard report could not be read")
            return
        store.move_hazard(writes, change.id, change.state, change.note, entry.event.origin_server_ts)
        writes.after_commit.append(self._on_change)

    def _redaction(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The message is deleted: so is the report."""
        target = entry.event.redacts
        is_board = room.room_id == self._members.rooms.find(Purpose.BOARD.value)
        if target is not None and is_board and not entry.flags & _NOT_IN_FORCE:
            store.move_hazard(
                writes, target.removeprefix("$"), HazardState.WITHDRAWN, "", entry.event.origin_server_ts)
            writes.after_commit.append(self._on_change)
