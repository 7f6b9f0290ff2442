"""The verbs of polls: ask, answer on a page, write down an answer from paper, close; and their results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.association.polls import polls_store as store
from server.association.polls.model import (
    Answer,
    Channel,
    Poll,
    Question,
    State,
    question_contents,
    result_content,
)
from server.association.polls.open_polls import OpenPoll, OpenPolls
from server.association.polls.projection import PollProjection
from server.association.polls.results import PollResults
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.tasks import Tasks
from server.rooms.accept_event import EventAcceptor
from server.rooms.poll_events import END, RESPONSE, START, Choice, end_content, response_content
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

_ID_LETTERS: Final = 12


class Polls:
    """Polls of the association. Order of life: ``attach``, ``await open()``, ``resume()``; then ``close_due`` now and
    then."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, clock: Clock, tasks: Tasks
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._clock = clock
        self._tasks = tasks
        self._going = OpenPolls()
        self._projection = PollProjection(members, self._going, self._ended)
        self._working = asyncio.Lock()
        self.results = PollResults(database, members)

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event; once, before the first."""
        self._projection.attach(acceptor)

    async def open(self) -> None:
        """Load the polls that are going on."""
        for going in await store.load_unfinished(self._database):
            self._going.enter(going)

    def resume(self) -> None:
        """Go on with what the node was doing when it was stopped or killed."""
        for going in self._going:
            step = self.ask(going.poll.id) if going.poll.state is State.OPEN else self.finish(going.poll.id)
            self._tasks.start("polls", step)

    async def close_due(self) -> None:
        """Close the polls whose deadline has come. To be called every minute or so."""
        for going in self._going:
            if going.poll.state is State.OPEN and going.poll.is_over_at(self._clock.now_ms()):
                await self._end_everywhere(going)
                await self.finish(going.poll.id)

    # ---- officers ---------------------------------------------------------------------------------------------------

    async def start(self, officer: str, question: Question) -> Poll:
        """Ask an audience. Raises ``Forbidden``, ``InvalidParam`` or ``NotFound``, and then nobody was asked."""
        self._members.require(officer, Right.ASK_POLLS)
        now = self._clock.now_ms()
        question.check(now)
        choices = tuple(Choice(f"c{number}", text.strip()) for number, text in enumerate(question.choices, 1))
        poll = Poll(
            random_letters(_ID_LETTERS), question.text.strip(), choices, question.most, question.disclosed,
            question.audience, officer, State.OPEN, now, question.deadline,
        )
        await self._ask_in(poll, self._rooms_for(poll))
        return poll

    async def ask(self, poll_id: str) -> None:
        """Ask in the rooms of the audience where it was not asked yet."""
        async with self._working:
            going = self._going.get(poll_id)
            if going is not None and going.poll.state is State.OPEN:
                asked = {room.room_id for room in going.rooms.values() if room.is_asked}
                await self._ask_in(going.poll, [
                    room_id for room_id in self._rooms_for(going.poll) if room_id not in asked])

    async def enter(
        self, officer: str, poll_id: str, person_id: str, chosen: Sequence[str], channel: Channel
    ) -> None:
        """Write down an answer from paper, telephone or the door. For a household give its first person."""
        block = self._members.block_of(person_id)
        self._members.require(officer, Right.ENTER_ANSWERS, block.id)
        going = self._require_open(poll_id)
        checked = _require_choice(going.poll, chosen)
        going.last_place += 1
        answer = Answer(
            random_letters(_ID_LETTERS), person_id, going.last_place, self._clock.now_ms(), checked, channel, officer)
        writes = Writes()
        store.add_answer(writes, poll_id, answer)
        await asyncio.shield(self._database.submit(writes))

    async def close(self, officer: str, poll_id: str) -> None:
        """End a poll: it takes no more answers, and its result stands in its rooms."""
        self._members.require(officer, Right.ASK_POLLS)
        going = self._going.get(poll_id)
        if going is None:
            await self.results.poll(poll_id)
        if going is None or going.poll.state is State.CLOSED:
            raise Refused("このアンケートはもう終わっています", code="M_BAD_STATE")
        await self._end_everywhere(going)
        await self.finish(poll_id)

    async def finish(self, poll_id: str) -> None:
        """Whatever a closed poll still owes its rooms: the end of the native poll, the result. Twice is once."""
        async with self._working:
            going = self._going.get(poll_id)
            if going is None or going.poll.state is State.OPEN:
                return
            await self._end_everywhere(going)
            persons, households = await self.results.tallies(going.poll)
            content = result_content(going.poll, persons, households)
            await self._sender.send_many([
                self._draft(room.room_id, "m.room.message", content) for room in going.rooms.values() if not room.told])
            if going.is_finished:
                self._going.drop(poll_id)

    # ---- residents --------------------------------------------------------------------------------------------------

    async def answer(self, user_id: str, poll_id: str, chosen: Sequence[str]) -> None:
        """A resident answers on a page: the same as a native answer in a room where both of them are."""
        going = self._require_open(poll_id)
        if not self._members.is_in(user_id, going.poll.audience):
            raise Forbidden("このアンケートはあなた宛てではありません")
        checked = _require_choice(going.poll, chosen)
        for room in going.rooms.values():
            live = await self._sender.rooms.get(room.room_id)
            if live.membership(user_id) == "join" and room.poll_event is not None:
                content = response_content(room.poll_event, checked)
                await self._sender.send(Draft(room.room_id, user_id, RESPONSE, content))
                return
        raise Forbidden("このアンケートの部屋に入っていません")

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _ended(self, poll_id: str) -> None:
        """The native poll was ended in one room, by the node or by an officer's client: all others follow."""
        self._tasks.start("ending a poll", self.finish(poll_id))

    def _rooms_for(self, poll: Poll) -> list[str]:
        """Everybody is asked in 掲示板: in 回覧板 residents may react but not write a number."""
        return self._members.rooms_for(poll.audience, Purpose.BOARD)

    async def _ask_in(self, poll: Poll, room_ids: Sequence[str]) -> None:
        message, native = question_contents(poll)
        await self._sender.send_many([
            self._draft(room_id, kind, content)
            for room_id in room_ids for kind, content in (("m.room.message", message), (START, native))
        ])

    async def _end_everywhere(self, going: OpenPoll) -> None:
        text = f"「{going.poll.question}」は終わりました。"
        await self._sender.send_many([
            self._draft(room.room_id, END, end_content(room.poll_event, text))
            for room in going.rooms.values() if room.poll_event is not None and not room.ended
        ])

    def _require_open(self, poll_id: str) -> OpenPoll:
        going = self._going.get(poll_id)
        if going is None:
            raise NotFound("そのアンケートは、ないか、もう終わっています")
        if going.poll.is_over_at(self._clock.now_ms()):
            raise Refused("このアンケートはもう終わっています", code="M_BAD_STATE")
        return going

    def _draft(self, room_id: str, kind: str, content: dict[str, object]) -> Draft:
        return Draft(room_id, self._members.node_user_id, kind, content)


def _require_choice(poll: Poll, chosen: Sequence[str]) -> tuple[str, ...]:
    checked = poll.checked(chosen)
    if not chosen or checked is None or len(set(chosen)) > poll.most:
        raise InvalidParam("その選択肢はありません")
    return checked
