"""電話で知らせる人: a gathering is off, and these said yes but no telephone of theirs rings by itself, or they have
said so on paper, by telephone or at the door. Officers call them, and tick who was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.association.gatherings.answers import Answer, Said
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calling_off import CalledOff
from server.association.gatherings.calls_store import Call, Off, calls_of, drop_call, note_call
from server.association.gatherings.counting import Home
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Moment, State
from server.association.gatherings.occurrences import to_ms
from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Block, Household, Person, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, NotFound
from server.storage.database import Database, Writes

# Whether a telephone of somebody rings by itself.
Rings = Callable[[Person], bool]


@dataclass(frozen=True, slots=True)
class ToCall:
    """One household: who of it (all of those who said yes), how many come, how that was said, who has told them."""

    block: Block
    household: Household
    persons: Sequence[Person]
    people: int
    came_by: CameBy
    call: Call | None


class Calls:
    """Who is to be called, and who was. ``rings``: see ``Rings``."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, gatherings: Gatherings, attendance: Attendance,
        rings: Rings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._gatherings = gatherings
        self._attendance = attendance
        self._rings = rings

    def off(self, officer: str, gathering_id: str, day_ms: int = 0) -> CalledOff:
        """What was called off: a gathering, or one day of a series; raises ``NotFound``, ``Forbidden``."""
        if not self._members.blocks_with(officer, Right.ENTER_ATTENDANCE):
            raise Forbidden("出欠の一覧は、役員と補助の人だけが見られます")
        gathering = self._gatherings.find(gathering_id)
        if gathering is not None and gathering.state is State.CANCELLED:
            return CalledOff(gathering)
        days: Sequence[Moment] = () if gathering is None or not gathering.is_shown else gathering.plan.called_off
        day = next((day for day in days if to_ms(day) == day_ms), days[-1] if days and not day_ms else None)
        if gathering is None or day is None:
            raise NotFound("中止になった集まりではありません")
        return CalledOff(gathering, day)

    async def to_call(self, officer: str, off: CalledOff) -> list[ToCall]:
        """The households of the officer's blocks, in walking order."""
        mine = {block.id: block for block in self._members.blocks_with(officer, Right.ENTER_ATTENDANCE)}
        told = await calls_of(self._database, _key(off))
        found = []
        for home in await self._attendance.homes(off.gathering):
            household, persons = self._members.household(home.household_id), self._unreached(home)
            if persons and household.block_id in mine:
                said = [said for person in persons if (said := home.of(person.id)) is not None]
                found.append(ToCall(mine[household.block_id], household, persons, home.coming, said[0].came_by,
                                    told.get(home.household_id)))
        return found

    async def count(self, gathering_id: str) -> int:
        """How many households would have to be called if the gathering were off, whoever looks after them."""
        gathering = self._gatherings.find(gathering_id)
        homes = [] if gathering is None else await self._attendance.homes(gathering)
        return sum(bool(self._unreached(home)) for home in homes)

    async def tick(self, officer: str, off: CalledOff, household_id: str, *, told: bool) -> None:
        """A household was told, or was not after all. Two at once: the first has told it."""
        self._members.require(officer, Right.ENTER_ATTENDANCE, self._members.household(household_id).block_id)
        writes = Writes()
        if told:
            note_call(writes, _key(off), household_id, Call(officer, self._clock.now_ms()))
        else:
            drop_call(writes, _key(off), household_id)
        await asyncio.shield(self._database.submit(writes))

    def _unreached(self, home: Home) -> list[Person]:
        """Who of a household said yes and hears of it by a call only."""
        if not home.coming:
            return []
        return [person for person in map(self._members.person, home.persons)
                if self._is_to_be_called(person, home.of(person.id))]

    def _is_to_be_called(self, person: Person, said: Said | None) -> bool:
        if said is None or said.answer is not Answer.ACCEPTED:
            return False
        return said.is_written or not self._rings(person)


def _key(off: CalledOff) -> Off:
    return Off(off.gathering.id, off.day_ms, off.sequence)
