"""Results of polls: what a resident sees, what the officers see. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.association.polls import polls_store as store
from server.association.polls.counting import (
    Answer,
    Count,
    Tally,
    Voter,
    answer_of_person,
    count,
    standing_answers,
)
from server.association.polls.export import HouseholdLine, PersonLine, households_csv, persons_csv
from server.association.polls.model import Counting, Poll, State
from server.foundation.errors import Forbidden, NotFound
from server.storage.database import Database

GONE: Final = "（名簿にない人）"
GONE_HOUSEHOLD: Final = "（名簿にない世帯）"
GONE_BLOCK: Final = "（なくなった班）"
_MOST_OPEN: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the audience, with what holds for them. Somebody who has left the roster has no name any more."""

    person: Person
    block: str
    household: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """One household with its one voice."""

    household_id: str
    name: str
    block: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Result:
    """A poll as officers see it: figures of all, rows of those whom the officer looks after, in walking order."""

    poll: Poll
    persons: Tally
    households: Tally
    rows: Sequence[Row]
    household_rows: Sequence[HouseholdRow]


@dataclass(frozen=True, slots=True)
class OwnPoll:
    """A poll as a resident sees it; ``chosen`` is what holds for them, also where their household's sheet said it."""

    poll: Poll
    chosen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """One poll for its page; ``count`` is ``None`` as long as its figures are not shown to this reader."""

    poll: Poll
    chosen: tuple[str, ...]
    count: Count | None
    may_answer: bool
    may_close: bool


class PollResults:
    """Read models of polls."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database = database
        self._members = members

    # ---- residents -------------------------------------------------------------------------------------------------

    async def polls_for(self, user_id: str) -> list[OwnPoll]:
        """The open polls that ask this resident, newest first, each with what they have chosen."""
        return await self._own_polls(user_id, State.OPEN, _MOST_OPEN)

    async def past_polls_for(self, user_id: str, limit: int = 20) -> list[OwnPoll]:
        """Polls that have asked this resident and are over, newest first."""
        return await self._own_polls(user_id, State.CLOSED, limit)

    async def view(self, user_id: str, poll_id: str) -> View:
        """One poll for a resident whom it asks, or for an officer; raises ``NotFound``.

        Residents see figures from the beginning where the poll is disclosed, else from its end; officers always.
        """
        poll, officer = await self.poll(poll_id), self._is_officer(user_id)
        asked = self.reaches(poll, user_id)
        if poll.state is State.WITHDRAWN or not (officer or asked):
            raise NotFound("そのアンケートはありません")
        is_shown = officer or poll.disclosed or not poll.is_open
        chosen = await self._chosen_by(user_id, [poll])
        return View(poll, chosen.get(poll_id, ()), await self.count(poll) if is_shown else None,
                    poll.is_open and asked, poll.is_open and self.may_close(user_id, poll))

    async def _own_polls(self, user_id: str, state: State, limit: int) -> list[OwnPoll]:
        if self._members.person_of_user(user_id) is None:
            return []
        found = await store.polls_in(self._database, [state], limit)
        mine = [poll for poll in found if self.reaches(poll, user_id)]
        chosen = await self._chosen_by(user_id, mine)
        return [OwnPoll(poll, chosen.get(poll.id, ())) for poll in mine]

    async def _chosen_by(self, user_id: str, polls: Sequence[Poll]) -> dict[str, tuple[str, ...]]:
        """By poll, what holds for one account."""
        person = self._members.person_of_user(user_id)
        if person is None or not polls:
            return {}
        voter = Voter(person.id, person.household_id, "")
        given = await store.answers_by(
            self._database, [person.id, person.household_id], [poll.id for poll in polls])
        return {poll.id: _chosen(poll, voter, given.get(poll.id, ())) for poll in polls}

    # ---- officers --------------------------------------------------------------------------------------------------

    async def polls(self, officer: str, limit: int = 20, before_ts: int | None = None) -> list[Poll]:
        """All polls, also those that residents have made, newest first."""
        self._require_officer(officer)
        return await store.polls_in(self._database, [State.OPEN, State.CLOSED], limit, before_ts)

    async def result(self, officer: str, poll_id: str) -> Result:
        """The result with who has said what: a leader's own blocks, or everybody for whoever may ask."""
        self._require_officer(officer)
        poll = await self.poll(poll_id)
        voters = await self.voters(poll)
        counted = count(poll, voters, await store.answers_of(self._database, poll_id))
        seen = self._in_walking_order(self._looked_after(officer, voters))
        homes = {voter.household_id: self._home_of(voter) for voter in seen}
        return Result(
            poll, counted.persons, counted.households,
            [Row(self._person(voter), block, home, counted.of_person.get(voter.person_id))
             for voter in seen for home, block in [homes[voter.household_id]]],
            [HouseholdRow(household_id, home, block, counted.of_household.get(household_id))
             for household_id, (home, block) in homes.items()],
        )

    async def csv(self, officer: str, poll_id: str) -> bytes:
        """The rows that the officer sees as a file for a spreadsheet, one for each that has a voice."""
        result = await self.result(officer, poll_id)
        poll = result.poll
        if poll.counting is Counting.HOUSEHOLD:
            return households_csv(poll, [HouseholdLine(row.block, row.name, row.answer)
                                         for row in result.household_rows])
        return persons_csv(poll, [PersonLine(row.block, row.household, row.person.name, row.answer)
                                  for row in result.rows])

    # ---- for all ---------------------------------------------------------------------------------------------------

    async def poll(self, poll_id: str) -> Poll:
        """One poll, open or over; raises ``NotFound``. Whether somebody may see it is for the caller to ask."""
        poll = await store.find_poll(self._database, poll_id)
        if poll is None:
            raise NotFound("そのアンケートはありません")
        return poll

    async def tallies(self, poll: Poll) -> tuple[Tally, Tally]:
        """Figures per person and per household."""
        counted = await self.count(poll)
        return counted.persons, counted.households

    async def count(self, poll: Poll) -> Count:
        """The figures as they are committed, with the answers that hold."""
        return count(poll, await self.voters(poll), await store.answers_of(self._database, poll.id))

    async def voters(self, poll: Poll) -> list[Voter]:
        """Who has a voice: while it is open as the roster says today, afterwards as it said at the end."""
        kept = [] if poll.is_open else await store.voters_of(self._database, poll.id)
        return kept or self.voters_today(poll)

    def voters_today(self, poll: Poll) -> list[Voter]:
        """The audience as the roster stands; nobody where its block or group is gone."""
        try:
            people = self._members.audience(poll.audience)
        except NotFound:
            return []
        return [Voter(person.id, person.household_id, self._members.block_of(person.id).id) for person in people]

    def reaches(self, poll: Poll, user_id: str) -> bool:
        """Whether the poll asks this account."""
        try:
            return self._members.is_in(user_id, poll.audience)
        except NotFound:
            return False

    def may_close(self, user_id: str, poll: Poll) -> bool:
        """Officers close every poll, residents their own."""
        return self._members.may(user_id, Right.ASK_POLLS) or (poll.native and user_id == poll.issuer)

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _looked_after(self, officer: str, voters: Sequence[Voter]) -> list[Voter]:
        if self._members.may(officer, Right.ASK_POLLS):
            return list(voters)  # also those of blocks that are gone
        blocks = {block.id for block in self._members.blocks_with(officer, Right.ENTER_ANSWERS)}
        return [voter for voter in voters if voter.block_id in blocks]

    def _in_walking_order(self, voters: Sequence[Voter]) -> list[Voter]:
        walk = {person.id: place for place, person in enumerate(self._members.persons())}
        return sorted(voters, key=lambda voter: walk.get(voter.person_id, len(walk)))

    def _person(self, voter: Voter) -> Person:
        if self._members.register.has_person(voter.person_id):
            return self._members.person(voter.person_id)
        return Person(voter.person_id, voter.household_id, GONE)

    def _home_of(self, voter: Voter) -> tuple[str, str]:
        """``(household, block)`` in words."""
        try:
            home = self._members.household(voter.household_id).name
        except NotFound:
            home = GONE_HOUSEHOLD
        try:
            return home, self._members.block(voter.block_id).name
        except NotFound:
            return home, GONE_BLOCK

    def _is_officer(self, user_id: str) -> bool:
        return bool(self._members.blocks_with(user_id, Right.ENTER_ANSWERS))

    def _require_officer(self, officer: str) -> None:
        if not self._is_officer(officer):
            raise Forbidden("アンケートの一覧は、役員だけが見られます")


def _chosen(poll: Poll, voter: Voter, answers: Sequence[Answer]) -> tuple[str, ...]:
    answer = answer_of_person(voter, standing_answers(poll, answers))
    return answer.chosen if answer is not None else ()
