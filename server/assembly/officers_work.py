"""What officers set going and the node finishes: circulars with a set time, telling who wanted to come that it is off,
telling once more who has not seen a circular, telling rooms how many come. Loaded where there is something of it, or
with the first page.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from server.assembly.core import Core
from server.assembly.planned_there_store import is_any_circular_planned
from server.association.circulars.actions import Circulars
from server.association.gatherings.answers_store import written_gatherings
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import State
from server.association.members.members import Members
from server.foundation.tasks import keep_doing

if TYPE_CHECKING:
    from server.association.circulars.again import Again
    from server.association.circulars.planning import PlannedCirculars
    from server.association.gatherings.calling_off import CallingOff
    from server.association.gatherings.figures_in_rooms import FiguresInRooms

EVERY_S: Final = 20.0


class OfficersWork:
    """The verbs, made when they are first asked for (docs/decisions/0008). ``await open()`` once."""

    def __init__(
        self, core: Core, members: Members, circulars: Circulars, gatherings: Gatherings, attendance: Attendance
    ) -> None:
        self._core = core
        self._members = members
        self._circulars = circulars
        self._gatherings = gatherings
        self._attendance = attendance
        self._planned: PlannedCirculars | None = None
        self._calling_off: CallingOff | None = None
        self._again: Again | None = None
        self._figures: FiguresInRooms | None = None

    async def open(self) -> None:
        """Load what is planned, if anything is."""
        if await is_any_circular_planned(self._core.database):
            await self.planned.open()
        # What was written down before the node stopped may not have been told.
        self._attendance.moved |= await written_gatherings(self._core.database)

    def resume(self) -> None:
        """The node listens: do what is due from now on, beginning with what fell due while it was stopped."""
        watch = keep_doing("officers' work", self.look_round, self._core.clock, every_s=EVERY_S)
        self._core.tasks.start("officers' work", watch)

    async def look_round(self) -> None:
        """Do what is due; in memory where nothing is."""
        if self._planned is not None:
            await self._planned.publish_due()
        if any(item.state is State.CANCELLED or item.plan.called_off for item in self._gatherings.changed_since(0)):
            await self.calling_off.tell()
        if self._attendance.moved:
            await self.figures.tell()

    @property
    def planned(self) -> PlannedCirculars:
        """Circulars with a set time."""
        if self._planned is None:
            module = importlib.import_module("server.association.circulars.planning")
            self._planned = module.PlannedCirculars(
                self._core.database, self._core.clock, self._members, self._circulars)
        return self._planned

    @property
    def calling_off(self) -> CallingOff:
        """Telling who wanted to come that it is off."""
        if self._calling_off is None:
            module, core = importlib.import_module("server.association.gatherings.calling_off"), self._core
            self._calling_off = module.CallingOff(
                core.database, core.clock, self._members, core.services.sender, self._gatherings, self._attendance)
            self._calling_off.attach(core.acceptor)
        return self._calling_off

    @property
    def figures(self) -> FiguresInRooms:
        """Telling rooms how many come, where officers have written answers down."""
        if self._figures is None:
            module, core = importlib.import_module("server.association.gatherings.figures_in_rooms"), self._core
            self._figures = module.FiguresInRooms(
                core.database, self._members, core.services.sender, self._gatherings, self._attendance)
            self._figures.attach(core.acceptor)
        return self._figures

    @property
    def again(self) -> Again:
        """Telling once more who has not seen a circular."""
        if self._again is None:
            module, core = importlib.import_module("server.association.circulars.again"), self._core
            reader = importlib.import_module("server.association.circulars.reader")
            self._again = module.Again(
                core.database, core.clock, self._members, core.services.sender,
                reader.CircularReader(core.database, self._members, core.services.receipts),
                core.settings.http.public_url,
            )
            self._again.attach(core.acceptor)
        return self._again
