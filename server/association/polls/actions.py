"""The verbs of polls: ask, answer on a page, write down an answer from paper, close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.association.polls import polls_store as store
from server.association.polls.answering import AnswerProjection
from server.association.polls.contents import (
    ended_content,
    message_content,
    native_content,
    result_content,
    result_text,
)
from server.association.polls.counting import Answer, Count, Voice
from server.association.polls.deadlines import Deadlines
from server.association.polls.model import NEXT, Counting, Poll, Question, State, one_line
from server.association.polls.open_polls import OpenPoll, OpenPolls, PollRoom
from server.association.polls.projection import PollProjection
from server.association.polls.results import PollResults
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.tasks import Tasks
from server.rooms.accept_event import EventAcceptor
from server.rooms.poll_events import END, RESPONSE, START, Choice, response_content
from server.rooms.receipts import Receipts
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

_ID_LETTERS: Final = 12


class Polls:
    """Polls of the association. Order of life: ``attach``, ``await open()``, ``resume()`` …, ``close_down``."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, clock: Clock, tasks: Tasks
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._clock = clock
        self._tasks = tasks
        self._going = OpenPolls()
        self._working = asyncio.Lock()
        self._deadlines = Deadlines(self._going, clock, lambda: self._later("closing polls", self.close_due()))
        self.results = PollResults(database, members)

    def attach(self, acceptor: EventAcceptor, receipts: Receipts | None = None) -> None:
        """Look at every event; once, before the first. Receipts say nothing about a poll: reading is no answer."""
        PollProjection(
            self._members, self._going, lambda poll_id: self._later("ending a poll", self.finish(poll_id))
        ).attach(acceptor)
        AnswerProjection(self._members, self._going).attach(acceptor)

    async def open(self) -> None:
        """Load the polls that are going on."""
        for going in await store.load_unfinished(self._database):
            self._going.enter(going)
        self._deadlines.look()

    def resume(self) -> None:
        """Go on with what the node was doing when it was stopped or killed. Nobody is asked or told twice."""
        for going in self._going:
            step = self.ask(going.poll.id) if going.poll.is_open else self.finish(going.poll.id)
            self._tasks.start("polls that were going on", step)

    def close_down(self) -> None:
        """The node stops."""
        self._deadlines.cancel()

    # ---- officers --------------------------------------------------------------------------------------------------

    async def start(self, officer: str, question: Question, *, poll_id: str = "") -> Poll:
        """Ask an audience. Raises ``Forbidden``, ``InvalidParam`` or ``NotFound``, and then nobody was asked.

        What is asked again under a ``poll_id`` of before is asked where it is missing, and is one poll.
        """
        self._members.require(officer, Right.ASK_POLLS)
        if poll_id and await store.find_poll(self._database, poll_id) is not None:
            await self.ask(poll_id)
            return await self.results.poll(poll_id)
        now = self._clock.now_ms()
        question.check(now)
        self._members.audience(question.audience)
        poll = Poll(
            id=poll_id or random_letters(_ID_LETTERS), question=one_line(question.text), most=question.most,
            choices=tuple(Choice(f"c{number}", one_line(text)) for number, text in enumerate(question.choices, 1)),
            disclosed=question.disclosed, audience=question.audience, issuer=officer, created_ts=now,
            deadline=question.deadline, counting=question.counting,
        )
        async with self._working:
            await self._ask_in(poll, self._rooms_for(poll))
        if self._going.get(poll.id) is None:
            raise Refused("どの部屋にも送れませんでした。もう一度ためしてください", status=503)
        self._deadlines.look()
        return poll

    async def ask(self, poll_id: str) -> None:
        """Ask in the rooms of the audience where it was not asked yet."""
        async with self._working:
            going = self._going.get(poll_id)
            if going is None or going.poll.native or not going.poll.is_open:
                return
            asked = {room.room_id for room in going.rooms.values() if room.is_asked}
            with contextlib.suppress(NotFound):  # the block or group is gone
                rooms = self._rooms_for(going.poll)
                await self._ask_in(going.poll, [room_id for room_id in rooms if room_id not in asked])

    async def enter(
        self, officer: str, poll_id: str, person_id: str, chosen: Sequence[str], channel: CameBy = CameBy.PAPER
    ) -> None:
        """Write down a person's answer from paper, telephone or the door.

        Raises ``Forbidden`` outside one's blocks, ``NotFound``, ``InvalidParam``, ``Refused`` once it is closed.
        """
        self._members.require(officer, Right.ENTER_ANSWERS, self._members.block_of(person_id).id)
        await self._enter(officer, poll_id, Voice(Counting.PERSON, person_id), chosen, channel)

    async def enter_for_household(
        self, officer: str, poll_id: str, household_id: str, chosen: Sequence[str], channel: CameBy = CameBy.PAPER
    ) -> None:
        """Write down the answer of a whole household, like ``enter``."""
        home = self._members.household(household_id)
        self._members.require(officer, Right.ENTER_ANSWERS, home.block_id)
        await self._enter(officer, poll_id, Voice(Counting.HOUSEHOLD, home.id), chosen, channel)

    # ---- ends ------------------------------------------------------------------------------------------------------

    async def close(self, user_id: str, poll_id: str) -> Count:
        """End a poll: it takes no more answers, and its result stands in its rooms. Officers end every poll, residents
        those that they have made themselves. Answers the final figures."""
        going, poll = self._going.get(poll_id), await self.results.poll(poll_id)
        if not self.results.may_close(user_id, poll):
            raise Forbidden("このアンケートを締め切れるのは、役員か、作った人だけです")
        if going is None or State.CLOSED not in NEXT[going.poll.state]:
            raise _already_ended()
        await self._close(going)
        await self.finish(poll_id)
        return await self.results.count(await self.results.poll(poll_id))

    async def close_due(self) -> None:
        """Close the polls whose deadline has come, and finish what is closed."""
        for going in self._going:
            if going.poll.is_open and going.poll.is_over_at(self._clock.now_ms()):
                await self._close(going)
            await self.finish(going.poll.id)
        self._deadlines.look()

    async def finish(self, poll_id: str) -> None:
        """Whatever a closed poll still owes: who had a voice, the ends of the native polls, the result in its rooms.
        Doing it twice is doing it once."""
        async with self._working:
            going = self._going.get(poll_id)
            if going is None or going.poll.state is not State.CLOSED:
                return
            await self._keep_voters(going.poll)
            count = await self.results.count(going.poll)
            for place in list(going.rooms.values()):
                await self._say(place.room_id, self._last_words(going.poll, place, count))
            if going.is_finished:
                self._going.drop(poll_id)

    # ---- residents -------------------------------------------------------------------------------------------------

    async def answer(self, user_id: str, poll_id: str, choices: Sequence[str]) -> None:
        """A resident answers on a page: the same as a native answer in a room where they are asked.

        Raises ``Forbidden``, ``NotFound``, ``InvalidParam``, ``Refused`` once it is closed.
        """
        going = await self._require_open(poll_id)
        await self._vote(user_id, going, going.poll.chosen_on_a_form(choices))

    async def take_back(self, user_id: str, poll_id: str) -> None:
        """A resident takes their answer back: an empty native answer. Raises like ``answer``."""
        await self._vote(user_id, await self._require_open(poll_id), ())

    async def _vote(self, user_id: str, going: OpenPoll, checked: Sequence[str]) -> None:
        if not self.results.reaches(going.poll, user_id):
            raise Forbidden("このアンケートはあなた宛てではありません")
        for place in going.rooms.values():
            room = await self._sender.rooms.get(place.room_id)
            if place.poll_event is not None and room.membership(user_id) == "join":
                content = response_content(place.poll_event, checked)
                await self._sender.send(Draft(place.room_id, user_id, RESPONSE, content))
                return
        raise Forbidden("このアンケートの部屋に入っていないので、答えられません")

    # ---- parts -----------------------------------------------------------------------------------------------------

    def _rooms_for(self, poll: Poll) -> list[str]:
        """Everybody is asked in 掲示板: in 回覧板 residents may react but not write a number."""
        return self._members.rooms_for(poll.audience, Purpose.BOARD)

    async def _ask_in(self, poll: Poll, room_ids: Sequence[str]) -> None:
        for room_id in room_ids:
            await self._say(room_id, [
                self._draft(room_id, "m.room.message", message_content(poll)),
                self._draft(room_id, START, native_content(poll)),
            ])

    async def _say(self, room_id: str, drafts: Sequence[Draft]) -> None:
        """All of ``drafts`` or none; one broken room stops nobody else's."""
        try:
            if drafts:
                await self._sender.send_all(await self._sender.rooms.get(room_id), drafts)
        except Refused as refusal:
            logger.warning("a room took nothing of a poll: %s", refusal.detail or refusal.code)

    def _last_words(self, poll: Poll, place: PollRoom, count: Count) -> list[Draft]:
        drafts = []
        if place.poll_event is not None and not place.ended:
            content = ended_content(poll, place.poll_event, result_text(poll, count))
            drafts.append(self._draft(place.room_id, END, content))
        if place.message_event is not None and not place.told:
            drafts.append(self._draft(place.room_id, "m.room.message", result_content(poll, count)))
        return drafts

    async def _close(self, going: OpenPoll) -> None:
        """Decide on the end before the rooms hear of it: what comes in while the result is told counts nowhere, and
        all that was accepted before is written before (one writer, in order)."""
        before = going.poll
        going.poll = replace(before, state=State.CLOSED, closed_ts=before.end_at(self._clock.now_ms()))
        writes = Writes()
        writes.on_failure.append(lambda: setattr(going, "poll", before))
        store.set_poll(writes, going.poll)
        await asyncio.shield(self._database.submit(writes))

    async def _keep_voters(self, poll: Poll) -> None:
        """The roster goes on changing; the table of a closed poll stays."""
        if await store.voters_of(self._database, poll.id):
            return
        writes = Writes()
        for voter in self.results.voters_today(poll):
            store.add_voter(writes, poll.id, voter)
        if writes.rows:
            await asyncio.shield(self._database.submit(writes))

    async def _enter(
        self, officer: str, poll_id: str, voice: Voice, chosen: Sequence[str], channel: CameBy
    ) -> None:
        going = await self._require_open(poll_id)
        voters = self.results.voters_today(going.poll)
        asked = {voter.person_id if voice.unit is Counting.PERSON else voter.household_id for voter in voters}
        if voice.id not in asked:
            raise NotFound("このアンケートの宛先に入っていません")
        going.last_place += 1
        answer = Answer(
            id=random_letters(_ID_LETTERS), voice=voice, place=going.last_place, ts=self._clock.now_ms(),
            chosen=going.poll.chosen_on_a_form(chosen), channel=channel, entered_by=officer,
        )
        writes = Writes()
        store.add_answer(writes, poll_id, answer)
        await asyncio.shield(self._database.submit(writes))

    async def _require_open(self, poll_id: str) -> OpenPoll:
        going = self._going.get(poll_id)
        if going is None:
            await self.results.poll(poll_id)
        if going is None or going.poll.is_over_at(self._clock.now_ms()):
            raise _already_ended()
        return going

    def _later(self, name: str, step: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(RuntimeError):  # the node stops; it goes on after its next start
            self._tasks.start(name, step)

    def _draft(self, room_id: str, kind: str, content: dict[str, object]) -> Draft:
        return Draft(room_id, self._members.node_user_id, kind, content)


def _already_ended() -> Refused:
    return Refused("このアンケートはもう終わっています", code="M_BAD_STATE")
