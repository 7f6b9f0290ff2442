"""試用版 (trial): everything is tried with made-up neighbours; what was set up is kept, or all is thrown away.

Made-up people are told by the numbers of their households, which begin with 試用; their blocks and groups by names.
They answer what they are asked, a few at a time, so that officers see their tables fill. Keeping takes them out one by
one, as anybody who leaves; throwing away is a matter of the disk (``trial.py``) and of a new start.
"""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from server.accounts.accounts import Accounts
from server.association.members.departures import Departures
from server.association.members.editor import MemberEditor
from server.association.members.made_up_people import MadeUpHousehold, households
from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.actions import Polls
from server.association.safety_checks.actions import Given, SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.association.safety_checks.model import Standing, Status
from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.operation.trial import forget_moment, is_trial, keep_moment, mark_for_throwing_away

MARK: Final = "試用"
_BLOCKS: Final = 3
_HOMES_A_BLOCK: Final = 8
_GROUPS: Final = ("試用 子ども会", "試用 防災部")
_MOST_REAL: Final = 60
# Of ten households, how many read on paper only.
_ON_PAPER: Final = 3
# Of those who have not answered yet, how many do so in a round.
_ANSWERING: Final = 0.3


@dataclass(frozen=True, slots=True)
class TrialParts:
    """What a trial is made of. ``begin_again`` stops the node soon, and starts it anew."""

    settings: Settings
    clock: Clock
    members: Members
    editor: MemberEditor
    accounts: Accounts
    departures: Departures
    polls: Polls
    checks: SafetyChecks
    desk: SafetyDesk
    is_linked: Callable[[], Awaitable[bool]]
    begin_again: Callable[[], None]


@dataclass(frozen=True, slots=True)
class TrialState:
    """How a trial stands: whether one goes on, whether all of it can be thrown away, how many are made up."""

    goes_on: bool
    can_be_thrown_away: bool
    made_up: int


class Trial:
    """Begin, keep, throw away. ``officer`` is a user id with the right to give roles."""

    def __init__(self, parts: TrialParts) -> None:
        self._parts = parts
        self._turn = asyncio.Lock()
        self._chance = random.Random(MARK)  # noqa: S311 - nothing here is secret

    def standing(self, officer: str) -> TrialState:
        """How it stands now."""
        self._parts.members.require(officer, Right.GIVE_ROLES)
        made_up, back = self.made_up(), is_trial(self._parts.settings)
        return TrialState(bool(made_up) or back, back, len(made_up))

    def made_up(self) -> list[Person]:
        """The made-up people who are there."""
        members = self._parts.members
        homes = {home.id for home in members.households() if home.number.startswith(MARK)}
        return [person for person in members.persons() if person.household_id in homes]

    async def begin(self, officer: str) -> None:
        """Keep the moment, then let the made-up neighbours move in. Raises ``Refused``."""
        parts = self._parts
        parts.members.require(officer, Right.GIVE_ROLES)
        async with self._turn:
            if self.standing(officer).goes_on:
                raise Refused("もう 試用中です。", status=409)
            if len(parts.members.persons()) > _MOST_REAL:
                raise Refused("もう おおぜい 登録しています。試用は、はじめる前に します。")
            await self._require_unlinked()
            await asyncio.to_thread(keep_moment, parts.settings)
            exchange = RosterExchange(parts.clock, parts.members, parts.editor)
            await exchange.take_in(parts.members.node_user_id, _roster())
            await self._give_accounts()

    async def keep(self, officer: str) -> None:
        """The made-up neighbours move out; everything that was set up stays. Doing it twice is doing it once."""
        parts = self._parts
        parts.members.require(officer, Right.GIVE_ROLES)
        async with self._turn:
            for person in self.made_up():
                await parts.departures.erase(parts.members.node_user_id, person.id)
            await self._remove_empty()
            await asyncio.to_thread(forget_moment, parts.settings)

    async def throw_away(self, officer: str) -> None:
        """Everything since the beginning goes, with a new start of the node."""
        parts = self._parts
        parts.members.require(officer, Right.GIVE_ROLES)
        if not is_trial(parts.settings):
            raise Refused("すてられる 試用が ありません。")
        await self._require_unlinked()
        await asyncio.to_thread(mark_for_throwing_away, parts.settings)
        parts.begin_again()

    async def answer_for_some(self) -> None:
        """Some of the made-up neighbours answer what they were asked."""
        for person in self.made_up():
            if person.user_id is not None and self._chance.random() < _ANSWERING:
                await self._answer(person.user_id)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _require_unlinked(self) -> None:
        if await self._parts.is_linked():
            raise Refused("市や ほかの町内会と つながっています。先に つながりを おわりにしてください。")

    async def _give_accounts(self) -> None:
        """To one in each household that does not read on paper, and to most others there."""
        parts, chosen = self._parts, []
        for _, people in itertools.groupby(self.made_up(), key=lambda person: person.household_id):
            chosen += list(people)[:2]
        on_paper = {home.id for home in parts.members.households() if not _reads_here(home.number)}
        for person in chosen:
            if person.household_id not in on_paper:
                user_id = await parts.accounts.create_user(None, None, person.name)
                async with parts.editor.editing() as edit:
                    edit.account(person.id, user_id)

    async def _remove_empty(self) -> None:
        members, editor, node = self._parts.members, self._parts.editor, self._parts.members.node_user_id
        for home in members.households():
            if home.number.startswith(MARK) and not members.persons_at(home.id):
                await editor.remove_household(node, home.id)
        inhabited = {home.block_id for home in members.households()}
        for block in members.blocks():
            if block.name.startswith(MARK) and block.id not in inhabited:
                await editor.remove_block(node, block.id)
        for group in members.groups():
            if group.name in _GROUPS and not members.register.members_of_group(group.id):
                await editor.remove_group(node, group.id)

    async def _answer(self, user_id: str) -> None:
        parts = self._parts
        for question in await parts.desk.questions_for(user_id):
            if question.standing in (Standing.UNREAD, Standing.READ):
                status = self._chance.choices((Status.SAFE, Status.CONTACT, Status.HELP), (8, 1, 1))[0]
                await parts.checks.answer(user_id, question.check.id, Given(status=status))
        now = parts.clock.now_ms()
        for asked in await parts.polls.results.polls_for(user_id):
            if not asked.chosen and not asked.poll.is_over_at(now):
                choice = self._chance.choice(asked.poll.choices)
                await parts.polls.answer(user_id, asked.poll.id, [choice.id])


def _roster() -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("班", "世帯番号", "世帯", "氏名", "ふりがな", "連絡方法", "グループ"))
    for number, home in zip(range(_BLOCKS * _HOMES_A_BLOCK), households(MARK), strict=False):
        writer.writerows(_lines(number, home))
    return out.getvalue().encode()


def _lines(number: int, home: MadeUpHousehold) -> Iterator[tuple[str, ...]]:
    key = f"{MARK}{number + 1}"
    for place, person in enumerate(home.persons):
        yield (
            f"{MARK}{number // _HOMES_A_BLOCK + 1}班", key, home.family, person.name, person.kana,
            "両方" if _reads_here(key) else "紙", _GROUPS[number % 2] if (number + place) % 3 == 0 else "",
        )


def _reads_here(household_number: str) -> bool:
    number = household_number.removeprefix(MARK)
    return not number.isdecimal() or int(number) % 10 >= _ON_PAPER
