"""What is seen of safety checks: the live table, who must be visited, one's own question. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.association.members.members import Members
from server.association.members.model import Block, Household, Right
from server.association.safety_checks import safety_store as store
from server.association.safety_checks.model import ORDER, Check, Current, Figures, Standing, standing_of_household
from server.foundation.errors import Forbidden, NotFound
from server.storage.database import Database

_MOST_OWN: Final = 200
_OWN_CHECKS: Final = 20
GONE: Final = "（名簿にない人）"
GONE_BLOCK: Final = "（なくなった班）"


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """One line of the table: persons and households of a block."""

    block_id: str
    name: str
    persons: Figures
    households: Figures


@dataclass(frozen=True, slots=True)
class Table:
    """The live table (R63): a line a block, and all together."""

    check: Check
    blocks: Sequence[BlockFigures]
    persons: Figures
    households: Figures


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the officers' list."""

    person_id: str
    name: str
    household: str
    block: str
    standing: Standing
    current: Current


@dataclass(frozen=True, slots=True)
class Door:
    """A household on the list of visits: nobody there has answered, or somebody needs something."""

    household: Household
    standing: Standing
    persons: Sequence[PersonRow]


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A check as the resident sees it."""

    check: Check
    standing: Standing
    current: Current


class SafetyDesk:
    """Read models for officers and residents."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database = database
        self._members = members

    async def checks(self, officer: str, limit: int = 20, before_ts: int | None = None) -> list[Check]:
        """All checks, newest first."""
        self._require_officer(officer)
        return await store.checks_newest_first(self._database, limit, before_ts)

    async def table(self, officer: str, check_id: str) -> Table:
        """The live table: answered by kind, read but unanswered, unread, without the app, and all together."""
        self._require_officer(officer)
        check = await self._check(check_id)
        persons = await store.figures_by_block(self._database, check_id)
        households = _households_by_block(await store.lines_of(self._database, check_id))
        names = {block.id: block.name for block in self._members.blocks()}
        order = {block_id: place for place, block_id in enumerate(names)}
        blocks = [
            BlockFigures(block_id, names.get(block_id, GONE_BLOCK), figures, households.get(block_id, Figures()))
            for block_id, figures in sorted(persons.items(), key=lambda item: order.get(item[0], len(order)))
        ]
        return Table(check, blocks, sum(persons.values(), Figures()), sum(households.values(), Figures()))

    async def people(self, officer: str, check_id: str) -> list[PersonRow]:
        """Everybody whom the officer looks after, in the order of urgency (R74): help, contact, unanswered, safe;
        who has written something before who has not; then in walking order."""
        rows = await self._rows(officer, check_id)
        walk = {person.id: place for place, person in enumerate(self._members.persons())}
        return sorted(rows, key=lambda row: (
            ORDER[row.standing] if row.standing.is_answer else ORDER[Standing.NO_APP],
            not row.current.comment, walk.get(row.person_id, len(walk)),
        ))

    async def to_visit(self, officer: str, check_id: str) -> list[tuple[Block, list[Door]]]:
        """Households in which nobody has answered, block by block in walking order (R65)."""
        rows: dict[str, list[PersonRow]] = {}
        for row in await self._rows(officer, check_id):
            if self._members.register.has_person(row.person_id):
                rows.setdefault(self._members.person(row.person_id).household_id, []).append(row)
        doors: dict[str, list[Door]] = {}
        for home in self._members.households():
            standing = standing_of_household(row.standing for row in rows.get(home.id, ()))
            if home.id in rows and not standing.is_answer:
                doors.setdefault(home.block_id, []).append(Door(home, standing, rows[home.id]))
        return [(block, doors[block.id]) for block in self._members.blocks() if block.id in doors]

    async def history(self, officer: str, check_id: str, person_id: str) -> list[store.Entered]:
        """Everything that a person has answered, oldest first, also what was taken back."""
        line = await store.line_of(self._database, check_id, person_id)
        if line is None:
            raise NotFound("その人にはこの安否確認は届いていません")
        self._members.require(officer, Right.ENTER_ANSWERS, line.block_id)
        return await store.history_of(self._database, check_id, person_id)

    async def questions_for(self, user_id: str) -> list[OwnQuestion]:
        """The checks that wait for this resident's answer or have it, newest first; closed ones are left out."""
        person = self._members.person_of_user(user_id)
        if person is None:
            return []
        found = []
        for check in await store.open_checks(self._database, _OWN_CHECKS):
            line = await store.line_of(self._database, check.id, person.id)
            if line is not None:
                found.append(OwnQuestion(check, line.standing, line.current))
        return found

    async def own_answers(self, user_id: str) -> list[tuple[Check, store.Entered]]:
        """Everything that somebody has answered to checks, the newest check first; also what they took back."""
        person = self._members.person_of_user(user_id)
        if person is None:
            return []
        return [
            (check, entered) for check in await store.checks_newest_first(self._database, _MOST_OWN)
            for entered in await store.history_of(self._database, check.id, person.id)
        ]

    async def _rows(self, officer: str, check_id: str) -> list[PersonRow]:
        self._require_officer(officer)
        await self._check(check_id)
        mine = {block.id: block.name for block in self._members.blocks_with(officer, Right.ENTER_ANSWERS)}
        lines = await store.lines_of(self._database, check_id)
        return [self._row(line, mine[line.block_id]) for line in lines if line.block_id in mine]

    def _row(self, line: store.Line, block: str) -> PersonRow:
        if not self._members.register.has_person(line.person_id):
            return PersonRow(line.person_id, GONE, "", block, line.standing, line.current)
        person = self._members.person(line.person_id)
        home = self._members.household(person.household_id)
        return PersonRow(line.person_id, person.name, home.name, block, line.standing, line.current)

    async def _check(self, check_id: str) -> Check:
        check = await store.find_check(self._database, check_id)
        if check is None:
            raise NotFound("その安否確認はありません")
        return check

    def _require_officer(self, officer: str) -> None:
        if not self._members.blocks_with(officer, Right.ENTER_ANSWERS):
            raise Forbidden("安否の一覧は、役員だけが見られます")


def _households_by_block(lines: Sequence[store.Line]) -> dict[str, Figures]:
    homes: dict[tuple[str, str], list[Standing]] = {}
    for line in lines:
        homes.setdefault((line.block_id, line.household_id), []).append(line.standing)
    counts: dict[str, dict[Standing, int]] = {}
    for (block_id, _), standings in homes.items():
        standing = standing_of_household(standings)
        of_block = counts.setdefault(block_id, {})
        of_block[standing] = of_block.get(standing, 0) + 1
    return {block_id: Figures(found) for block_id, found in counts.items()}
