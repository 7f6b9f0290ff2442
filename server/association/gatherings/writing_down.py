"""Who comes, as neighbours say it on paper, by telephone or at the door: an officer or helper writes it down, and it
counts like a reaction. Names never go into a room: what is written down is in the table only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.association.gatherings.answers import Answer, Said
from server.association.gatherings.answers_store import put_answer, take_back, written_for
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, State
from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

MOST_PEOPLE: Final = 99
_ID_LETTERS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What was said, and how: of one person (``person_id``), or of a household of which ``people`` come."""

    answer: Answer
    came_by: CameBy
    people: int = 1
    person_id: str = ""


class WritingDown:
    """The verbs of officers and helpers (``Right.ENTER_ATTENDANCE``)."""

    def __init__(
        self, database: Database, clock: Clock, positions: StreamPositions, members: Members, gatherings: Gatherings,
        attendance: Attendance,
    ) -> None:
        self._database = database
        self._clock = clock
        self._positions = positions
        self._members = members
        self._gatherings = gatherings
        self._attendance = attendance

    def asked(self, officer: str, gathering_id: str, household_id: str) -> tuple[Gathering, list[Person]]:
        """The gathering, and who of a household is asked.

        Raises ``Forbidden`` outside one's blocks, ``NotFound`` also where nobody there is asked.
        """
        home = self._members.household(household_id)
        self._members.require(officer, Right.ENTER_ATTENDANCE, home.block_id)
        gathering = self._gatherings.find(gathering_id)
        if gathering is None or not gathering.is_shown or not gathering.plan.asks:
            raise NotFound("その集まりはありません")
        audience = {person.id for person in self._members.audience(gathering.audience)}
        people = [person for person in self._members.persons_at(home.id) if person.id in audience]
        if not people:
            raise NotFound("この集まりの宛先に入っていません")
        return gathering, people

    async def enter(self, officer: str, gathering_id: str, household_id: str, word: Word) -> Gathering:
        """Write down an answer of a household or of a person in it; the last word counts, also over a reaction.

        Answers the gathering as it stands when that is on disk: it may have been called off meanwhile. Raises what
        ``asked`` raises, ``InvalidParam``, and ``Refused`` (409) for one that was called off before.
        """
        gathering, people = self.asked(officer, gathering_id, household_id)
        if word.person_id and word.person_id not in {person.id for person in people}:
            raise NotFound("この集まりの宛先に入っていません")
        if not 1 <= word.people <= MOST_PEOPLE:
            raise InvalidParam(f"人数は1から{MOST_PEOPLE}までです")
        if word.came_by is CameBy.APP:
            raise InvalidParam("どうやって聞いたかを えらんでください。")
        _require_planned(gathering)
        position = self._positions.allocate()
        said = Said(
            gathering_id, "", word.answer, self._clock.now_ms(), random_letters(_ID_LETTERS), position, word.person_id,
            "" if word.person_id else household_id, 1 if word.person_id else word.people, word.came_by, officer,
        )
        writes = Writes()
        put_answer(writes, said)
        await self._commit(writes, position, gathering_id)
        return self._gatherings.find(gathering_id) or gathering

    async def take_back(self, officer: str, gathering_id: str, household_id: str) -> None:
        """What was written down for a household and its persons was a mistake. Raises like ``enter``."""
        gathering, people = self.asked(officer, gathering_id, household_id)
        _require_planned(gathering)
        wrong = await written_for(self._database, gathering_id, household_id, [person.id for person in people])
        if wrong:
            position = self._positions.allocate()
            await self._commit(_taken_back(wrong, position), position, gathering_id)

    async def _commit(self, writes: Writes, position: int, gathering_id: str) -> None:
        writes.on_failure.append(lambda: self._positions.finish(position))
        writes.after_commit.append(lambda: self._attendance.forget_all([gathering_id]))
        writes.after_commit.append(lambda: self._positions.finish(position))
        await asyncio.shield(self._database.submit(writes))


def _require_planned(gathering: Gathering) -> None:
    if gathering.state is not State.PLANNED:
        raise Refused("この集まりは中止になりました", status=409, code="M_BAD_STATE")


def _taken_back(event_ids: Iterable[str], position: int) -> Writes:
    writes = Writes()
    for event_id in event_ids:
        take_back(writes, event_id, position)
    return writes
