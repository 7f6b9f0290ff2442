"""Duties: arranging them, taking one another's turns, saying that it is done, asking whose turn it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

from server.association.duties.book import DutyBook
from server.association.duties.contents import edit_content, message_content, turned_content
from server.association.duties.duties_store import load_duties
from server.association.duties.model import Duty, DutyPlan, Turn, checked_plan, require_turn, turns
from server.association.members.members import Members
from server.association.members.model import Audience, AudienceKind, Household, Purpose, Right
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database


class Duties:
    """The duties of the association. ``await open()`` once, after the projection listens to ``book``."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, book: DutyBook
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._book = book
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Load all duties."""
        await load_duties(self._database, self._book)

    # ---- reading ---------------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The position of the last change of any duty."""
        return self._book.revision

    @property
    def today(self) -> date:
        """The day in Japan."""
        return tokyo_time(self._clock.now_ms()).date()

    def all(self) -> list[Duty]:
        """All duties, also those that are over."""
        return self._book.all()

    def get(self, user_id: str, duty_id: str) -> Duty:
        """One duty; raises ``NotFound`` also for somebody whom it is not for."""
        duty = self._book.find(duty_id)
        if duty is None or not self.sees(user_id, duty):
            raise NotFound("その当番はありません")
        return duty

    def sees(self, user_id: str, duty: Duty) -> bool:
        """Whether a duty is for this account, or they may arrange it."""
        try:
            return self._members.is_in(user_id, duty.plan.audience) or self.may_arrange(user_id, duty.plan.audience)
        except NotFound:
            return False  # its block or group is gone

    def may_arrange(self, user_id: str, audience: Audience) -> bool:
        """Whether an account may arrange duties for an audience."""
        blocks = audience.ids if audience.kind is AudienceKind.BLOCKS else (None,)
        return all(self._members.may(user_id, Right.ARRANGE_DUTIES, block_id) for block_id in blocks)

    def shown_to(self, user_id: str) -> list[Duty]:
        """The duties that concern an account and go on."""
        return [duty for duty in self._book.all() if not duty.is_over and self.sees(user_id, duty)]

    def turns_of(self, duty: Duty, days: int = 180) -> list[Turn]:
        """The turns of a duty from today on."""
        return list(turns(duty, self.today, self.today + timedelta(days=days)))

    def coming_for(self, household_id: str, days: int = 370) -> list[Turn]:
        """The turns of a household from today on, soonest first."""
        last = self.today + timedelta(days=days)
        found = [turn for duty in self._book.all() for turn in turns(duty, self.today, last)
                 if turn.household == household_id]
        return sorted(found, key=lambda turn: turn.start)

    def households_for(self, audience: Audience) -> list[Household]:
        """The households of an audience in walking order: who can be in an order."""
        wanted = {person.household_id for person in self._members.audience(audience)}
        return [home for home in self._members.households() if home.id in wanted]

    # ---- arranging -------------------------------------------------------------------------------------------------

    async def arrange(self, officer: str, plan: DutyPlan) -> Duty:
        """Tell the audience of a new duty."""
        plan = self._checked(officer, plan)
        duty = Duty(random_letters(12), plan, officer)
        async with self._turn:
            content, node = message_content(duty), self._members.node_user_id
            # Where all may write, since everybody's circulars are no place for it.
            rooms = self._members.rooms_for(plan.audience, Purpose.BOARD)
            await self._sender.send_many([Draft(room_id, node, "m.room.message", content) for room_id in rooms])
        return self._now(duty.id)

    async def change(
        self, officer: str, duty_id: str, plan: DutyPlan, *, expected_revision: int | None = None
    ) -> Duty:
        """Another order or rhythm: turns are counted anew, so that what was taken over or done before is gone."""
        async with self._turn:
            old = self._changeable(officer, duty_id, expected_revision)
            plan = self._checked(officer, plan)
            if plan.audience != old.plan.audience:
                raise InvalidParam("当番をする班は、変えられません。新しく作ってください")
            same = (plan.order, plan.first, plan.rhythm) == (old.plan.order, old.plan.first, old.plan.rhythm)
            kept = (old.taken, old.done) if same else ({}, frozenset[int]())
            return await self._tell(replace(old, plan=plan, taken=kept[0], done=kept[1]))

    async def end(self, officer: str, duty_id: str) -> Duty:
        """Nobody does it any more."""
        async with self._turn:
            return await self._tell(replace(self._changeable(officer, duty_id, None), is_over=True))

    async def swap(self, officer: str, duty_id: str, one: int, other: int) -> Duty:
        """Two households change places; both are told in their 窓口."""
        async with self._turn:
            old = self._changeable(officer, duty_id, None)
            first, second = require_turn(old, one), require_turn(old, other)
            if first.household == second.household:
                raise InvalidParam("同じ家の番は、入れかえられません")
            taken = {**old.taken, one: second.household, other: first.household}
            duty = await self._tell(replace(old, taken=taken))
        for turn, whose in ((first, second.household), (second, first.household)):
            await self._say(whose, f"{_head(duty, turn)}は、あなたの家の番になりました。", duty)
        return duty

    async def take_over(self, user_id: str, duty_id: str, number: int) -> Duty:
        """Somebody does another household's turn; that household is told."""
        person = self._members.person_of_user(user_id)
        async with self._turn:
            old = self.get(user_id, duty_id)
            turn = require_turn(old, number)
            if person is None or not self._members.is_in(user_id, old.plan.audience):
                raise Forbidden("この当番の班の人だけができます")
            if turn.household == person.household_id or number in old.done:
                raise InvalidParam("あなたの家の番か、もう終わった番です", status=409)
            duty = await self._tell(replace(old, taken={**old.taken, number: person.household_id}))
        await self._say(turn.household, f"{_head(duty, turn)}は、ほかの家がかわってくれました。", duty)
        return duty

    async def done(self, user_id: str, duty_id: str, number: int) -> Duty:
        """Whose turn it is, or who arranges it, says that it is done."""
        person = self._members.person_of_user(user_id)
        async with self._turn:
            old = self.get(user_id, duty_id)
            turn = require_turn(old, number)
            mine = person is not None and person.household_id == turn.household
            if not mine and not self.may_arrange(user_id, old.plan.audience):
                raise Forbidden("この番は、ほかの家のものです")
            if turn.start > self.today:
                raise InvalidParam("この番は、まだ始まっていません")
            return old if number in old.done else await self._tell(replace(old, done=old.done | {number}))

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _checked(self, officer: str, plan: DutyPlan) -> DutyPlan:
        self._members.require_for(officer, Right.ARRANGE_DUTIES, plan.audience)
        plan = checked_plan(plan)
        known = {home.id for home in self.households_for(plan.audience)}
        if not set(plan.order) <= known:
            raise InvalidParam("順番の中に、その班の世帯ではないものがあります")
        return plan

    def _now(self, duty_id: str) -> Duty:
        duty = self._book.find(duty_id)
        if duty is None:
            raise NotFound("その当番はありません")
        return duty

    def _changeable(self, officer: str, duty_id: str, expected_revision: int | None) -> Duty:
        duty = self._now(duty_id)
        self._members.require_for(officer, Right.ARRANGE_DUTIES, duty.plan.audience)
        if expected_revision is not None and duty.revision != expected_revision:
            raise Refused("ほかの人が先に変えました。もう一度ひらいてください", status=412)
        if duty.is_over:
            raise InvalidParam("この当番は、もう終わっています", status=409)
        return duty

    async def _tell(self, duty: Duty) -> Duty:
        duty, node = replace(duty, sequence=duty.sequence + 1), self._members.node_user_id
        await self._sender.send_many([
            Draft(room_id, node, "m.room.message", edit_content(duty, event_id))
            for room_id, event_id in self._book.posts_of(duty.id).items()
        ])
        return self._now(duty.id)

    async def _say(self, household_id: str, text: str, duty: Duty) -> None:
        rooms = [self._members.desk_room_of(person.id) for person in self._members.persons_at(household_id)]
        node = self._members.node_user_id
        await self._sender.send_many([
            Draft(room_id, node, "m.room.message", turned_content(text, duty.id))
            for room_id in rooms if room_id is not None
        ])


def _head(duty: Duty, turn: Turn) -> str:
    return f"【当番】{_days(turn)}の「{duty.plan.title}」"


def _days(turn: Turn) -> str:
    last = turn.end - timedelta(days=1)
    first = f"{turn.start.month}月{turn.start.day}日"
    return first if last == turn.start else f"{first}〜{last.month}月{last.day}日"
