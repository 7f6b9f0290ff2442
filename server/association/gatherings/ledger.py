"""Who comes to a gathering, as officers and helpers see it: figures of all, households of their own blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.association.gatherings.answers import Said
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.counting import Figures, Home, figures_of_homes
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering
from server.association.gatherings.occurrences import occurrences_after
from server.association.members.members import Members
from server.association.members.model import Block, Household, Person, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class HomeRow:
    """One household, and what holds for each person of it who is asked."""

    block: Block
    household: Household
    home: Home
    persons: Sequence[tuple[Person, Said | None]]


@dataclass(frozen=True, slots=True)
class View:
    """A gathering's answers; ``rows`` in walking order."""

    gathering: Gathering
    figures: Figures
    rows: Sequence[HomeRow]


class AttendanceLedger:
    """Reading only."""

    def __init__(self, members: Members, gatherings: Gatherings, attendance: Attendance, clock: Clock) -> None:
        self._members = members
        self._gatherings = gatherings
        self._attendance = attendance
        self._clock = clock

    def asking(self, officer: str) -> list[Gathering]:
        """What is ahead and asks who comes, also what was called off, soonest first; raises ``Forbidden``."""
        self._blocks(officer)
        ahead = [
            occurrence for item in self._gatherings.changed_since(0) if item.is_shown and item.plan.asks
            for occurrence in occurrences_after(item, self._clock.now_ms(), 1)
        ]
        return [item.gathering for item in sorted(ahead, key=lambda item: item.start_ms)]

    async def view(self, officer: str, gathering_id: str) -> View:
        """Raises ``NotFound``, also for a gathering that asks nobody, and ``Forbidden``."""
        mine = self._blocks(officer)
        gathering = self._gatherings.find(gathering_id)
        if gathering is None or not gathering.is_shown or not gathering.plan.asks:
            raise NotFound("その集まりはありません")
        homes = await self._attendance.homes(gathering)
        return View(gathering, figures_of_homes(homes), [row for row in map(self._row, homes) if row.block.id in mine])

    def _blocks(self, officer: str) -> set[str]:
        mine = {block.id for block in self._members.blocks_with(officer, Right.ENTER_ATTENDANCE)}
        if not mine:
            raise Forbidden("出欠の一覧は、役員と補助の人だけが見られます")
        return mine

    def _row(self, home: Home) -> HomeRow:
        household = self._members.household(home.household_id)
        people = [(self._members.person(person_id), home.of(person_id)) for person_id in home.persons]
        return HomeRow(self._members.block(household.block_id), household, home, people)
