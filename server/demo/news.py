"""What has happened in 桜町町内会 lately: circulars, answers, a drill, and what is ahead. By the verbs of officers."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from server.assembly import Node
from server.association.circulars.model import Attachment, Letter
from server.association.gatherings.model import Plan
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, OFFICERS, Audience, Person, Purpose
from server.association.members.papers import PAPER_LIMITS, Papers
from server.association.polls.model import Question
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from server.demo import texts
from server.demo.almanac import Almanac
from server.demo.pictures import cherry_trees
from server.demo.texts import Text
from server.demo.town import NAME, Town
from server.foundation.clock import Clock
from server.foundation.worker_process import WorkerProcess
from server.rooms.send_event import Draft

_AT_ONCE: Final = 32


class News:
    """Lets the last three weeks happen. ``async with build`` around it."""

    def __init__(self, node: Node, town: Town, almanac: Almanac) -> None:
        self._node = node
        self._association = node.association
        self._town = town
        self._almanac = almanac
        self._chance = random.Random(NAME)  # noqa: S311 - nothing here is secret
        self._chair = _account(town.chair)
        self._people = [person for person in self._association.members.persons() if person.user_id is not None]

    async def happen(self) -> None:
        """Everything, in the order of its days."""
        await self._gatherings()
        await self._cleaning()
        await self._drill()
        await self._accounts()
        await self._board()
        await self._trees()
        await self._hall_poll()
        await self._duty()
        await self._desk()
        await self._post(texts.SCAM, readers=0.3)
        self._almanac.turn_to_now()

    # ---- circulars -------------------------------------------------------------------------------------------------

    async def _cleaning(self) -> None:
        letter = await self._post(texts.CLEANING, readers=0.8)
        question, choices = texts.QUESTION_CLEANING
        poll = await self._association.polls.start(self._chair, Question(
            text=question, choices=choices, audience=EVERYONE, deadline=self._almanac.ms_at(4, 21),
        ))
        await self._vote(poll.id, [choice.id for choice in poll.choices], 0.55)
        self._almanac.turn_to(-11, 8, 30)
        corrected = self._letter(replace(texts.CLEANING, text=texts.CLEANING_CORRECTED))
        await self._association.circulars.correct(self._chair, letter, corrected, "始まる時刻を9時になおしました")

    async def _accounts(self) -> None:
        day = self._almanac.at(texts.ACCOUNTS.days, 19).date()
        async with _papers(self._almanac) as papers:
            pdf = await papers.circular_sheet_pdf(
                texts.ACCOUNTS.title, texts.ACCOUNTS_SHEET, f"{NAME} 会計", day, self._node.settings.http.public_url
            )
        await self._post(texts.ACCOUNTS, [("会計中間報告.pdf", "application/pdf", pdf)], readers=0.65)

    async def _trees(self) -> None:
        photo = await asyncio.to_thread(cherry_trees)
        await self._post(texts.TREES, [("桜並木.jpg", "image/jpeg", photo)], readers=0.5)

    async def _duty(self) -> None:
        leader = self._town.leader
        block = self._association.members.block_of(leader.id)
        await self._post(texts.DUTY, by=_account(leader), audience=Audience.blocks([block.id]), readers=0.6)

    async def _post(
        self, text: Text, files: Sequence[tuple[str, str, bytes]] = (), *, readers: float,
        by: str = "", audience: Audience = EVERYONE,
    ) -> str:
        """A circular with its files, and who has confirmed it; answers its id."""
        self._almanac.turn_to(text.days, 19)
        officer = by or self._chair
        kept = [await self._keep(officer, *file) for file in files]
        letter = self._letter(text, audience, tuple(kept))
        circular = await self._association.circulars.post(officer, letter)
        reached = {person.id for person in self._association.members.audience(audience)}
        await _each(
            self._association.circulars.acknowledge(_account(person), circular.id)
            for person in self._some(readers) if person.id in reached
        )
        return circular.id

    def _letter(
        self, text: Text, audience: Audience = EVERYONE, attachments: tuple[Attachment, ...] = ()
    ) -> Letter:
        deadline = None if text.deadline is None else self._almanac.ms_at(text.deadline, 23, 59)
        return Letter(
            title=text.title, text=text.text, audience=audience, category=text.category,
            deadline=deadline, attachments=attachments,
        )

    async def _keep(self, owner: str, name: str, kind: str, data: bytes) -> Attachment:
        return Attachment(await self._node.media.media.keep(owner, kind, name, data), name, kind, len(data))

    # ---- talk ------------------------------------------------------------------------------------------------------

    async def _board(self) -> None:
        room_id = self._association.members.hall_room(Purpose.BOARD)
        for days, number, text in texts.BOARD:
            self._almanac.turn_to(days, 18, number % 60)
            await self._say(room_id, self._people[number % len(self._people)], text)

    async def _desk(self) -> None:
        """A question in the resident's own 窓口."""
        self._almanac.turn_to(-2, 9, 15)
        room_id = self._association.members.desk_room_of(self._town.resident.id)
        assert room_id is not None
        await self._say(room_id, self._town.resident, texts.AT_THE_DESK)

    async def _say(self, room_id: str, person: Person, text: str) -> None:
        content = {"msgtype": "m.text", "body": text}
        await self._node.services.sender.send(Draft(room_id, _account(person), "m.room.message", content))

    async def _hall_poll(self) -> None:
        """A poll that is over, with its result."""
        self._almanac.turn_to(-5, 20)
        question, choices = texts.QUESTION_HALL
        poll = await self._association.polls.start(
            self._chair, Question(text=question, choices=choices, audience=EVERYONE, most=2)
        )
        await self._vote(poll.id, [choice.id for choice in poll.choices], 0.6)
        self._almanac.turn_to(-4, 20)
        await self._association.polls.close(self._chair, poll.id)

    async def _vote(self, poll_id: str, choices: Sequence[str], part: float) -> None:
        weights = range(len(choices) + 1, 1, -1)
        await _each(
            self._association.polls.answer(_account(person), poll_id, self._chance.choices(choices, weights))
            for person in self._some(part)
        )

    # ---- the drill -------------------------------------------------------------------------------------------------

    async def _drill(self) -> None:
        """A drill that is over: most answered by themselves, the paper households were visited."""
        checks, members = self._association.safety_checks, self._association.members
        self._almanac.turn_to(-10, 10)
        check = await checks.announce(self._chair, texts.DRILL, EVERYONE, drill=True)
        await checks.ask(check.id)
        await _each(
            checks.answer(_account(person), check.id, self._given(number))
            for number, person in enumerate(self._some(0.75))
        )
        for home in members.households():
            if not any(person.user_id for person in members.persons_at(home.id)):
                given = Given(status=Status.SAFE)
                await checks.enter_for_household(self._chair, check.id, home.id, given, CameBy.DOOR)
        await checks.follow_ups.send_receipts()
        self._almanac.turn_to(-10, 11, 30)
        await checks.close(self._chair, check.id)
        await checks.finish(check.id)

    @staticmethod
    def _given(number: int) -> Given:
        if number == 20:
            return Given(status=Status.CONTACT, comment="父がひとりで家にいます。声をかけてください。")
        return Given(status=Status.SAFE)

    # ---- what is ahead ---------------------------------------------------------------------------------------------

    async def _gatherings(self) -> None:
        """The next weeks in the calendar."""
        self._almanac.turn_to(-13, 20)
        sunday = (6 - self._almanac.today.weekday()) % 7 or 7
        for gathering in texts.GATHERINGS:
            start = self._almanac.at(sunday + gathering.days, gathering.hour)
            end = start + datetime.timedelta(hours=gathering.hours)
            plan = Plan(gathering.title, start, end, gathering.place, gathering.text, gathering.rule)
            audience = OFFICERS if gathering.is_for_officers else EVERYONE
            await self._association.gatherings.announce(self._chair, plan, audience)

    def _some(self, part: float) -> list[Person]:
        """Some of those with an account."""
        return [person for person in self._people if self._chance.random() < part]


@asynccontextmanager
async def _papers(clock: Clock) -> AsyncIterator[Papers]:
    """The node's own printing, as its pages use it."""
    worker = WorkerProcess(clock, "paper", PAPER_LIMITS)
    try:
        yield Papers(worker)
    finally:
        await worker.close()


async def _each(work: Iterable[Coroutine[Any, Any, object]]) -> None:
    """All of it, so that many share a commit."""
    waiting = list(work)
    for start in range(0, len(waiting), _AT_ONCE):
        await asyncio.gather(*waiting[start:start + _AT_ONCE])


def _account(person: Person) -> str:
    assert person.user_id is not None
    return person.user_id
