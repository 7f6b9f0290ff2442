"""Bookings, duties and garbage days: what neighbours use their association for between two festivals.

A node on which nothing of it was ever entered does not load it at its start (docs/decisions/0008): it comes with the
first page or calendar that asks, or with the first resident who writes 「予約」.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from server.assembly.core import Core
from server.assembly.daily_store import is_anything_kept
from server.association.bookings.asking import REQUEST, is_request
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.association.reminders.model import Appointment
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Writes

if TYPE_CHECKING:
    from server.assembly.daily_features import DailyFeatures
    from server.association.bookings.actions import Bookings
    from server.association.bookings.answering import BookingDesk
    from server.association.duties.actions import Duties
    from server.association.garbage.actions import Garbage
    from server.association.hazards.actions import Hazards

_HAZARD: Final = "jp.kairan.hazard"


class DailyLife:
    """The features, made when they are first asked for. Where the tables hold something, ``open`` has done so."""

    def __init__(self, core: Core, members: Members, editor: MemberEditor) -> None:
        self._core = core
        self._members = members
        self._editor = editor
        self._made: DailyFeatures | None = None

    async def open(self) -> None:
        """Load what the tables hold, if they hold anything."""
        if await is_anything_kept(self._core.database):
            await self._features.open()
        else:
            self._core.acceptor.project(self._message, ["m.room.message"])
            self._core.acceptor.project(self._event, [REQUEST])

    def resume(self) -> None:
        """The node listens: answer what has no answer yet."""
        if self._made is not None:
            self._core.tasks.start("booking requests", self._made.booking_desk.resume())

    async def between(self, first_ms: int, last_ms: int) -> Sequence[Appointment]:
        """A ``ReminderSource`` of bookings and duties."""
        sources = [] if self._made is None else self._made.reminder_sources(self._members)
        return [item for source in sources for item in await source.between(first_ms, last_ms)]

    @property
    def bookings(self) -> Bookings:
        """Facilities and bookings."""
        return self._features.bookings

    @property
    def booking_desk(self) -> BookingDesk:
        """Who answers requests for bookings."""
        return self._features.booking_desk

    @property
    def garbage(self) -> Garbage:
        """Garbage days."""
        return self._features.garbage

    @property
    def duties(self) -> Duties:
        """Duties."""
        return self._features.duties

    @property
    def hazards(self) -> Hazards:
        """Hazard reports."""
        return self._features.hazards

    @property
    def _features(self) -> DailyFeatures:
        if self._made is None:
            module = importlib.import_module("server.assembly.daily_features")
            self._made = module.make_features(self._core, self._members, self._editor)
        return self._made

    # Both are asked of events before there is anything to book. What is made meanwhile follows the rooms from this
    # very event on: it stands at the end of the list of projections that is being walked.

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if self._made is not None:
            return
        body = entry.event.content.get("body")
        if isinstance(body, str) and is_request(body):
            self._knock(room)
        elif _HAZARD in entry.event.content and self._members.person_of_user(entry.event.sender) is not None:
            _ = self._features

    def _event(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        if self._made is None:
            self._knock(room)

    def _knock(self, room: LiveRoom) -> None:
        if self._members.person_of_desk_room(room.room_id) is not None:
            _ = self._features
