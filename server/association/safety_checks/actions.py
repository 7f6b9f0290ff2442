"""The verbs of safety checks: start, answer, write down an answer for somebody, close."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Audience, Purpose, Right
from server.association.safety_checks import safety_store as store
from server.association.safety_checks.follow_ups import FollowUps
from server.association.safety_checks.model import (
    CHECK,
    MAX_COMMENT,
    MAX_PEOPLE,
    NEXT,
    RESPONSE,
    SUMMARY,
    Answer,
    Check,
    Figures,
    State,
    Status,
    checked_title,
    prompt_contents,
    result_content,
)
from server.association.safety_checks.open_checks import OpenCheck, OpenChecks, Prompt
from server.association.safety_checks.projection import SafetyProjection, new_prompt, record
from server.association.safety_checks.reading import is_geo_uri, meaning_of_text
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.tasks import Tasks
from server.rooms.accept_event import EventAcceptor
from server.rooms.poll_events import END, START, end_content
from server.rooms.receipts import Receipts
from server.rooms.send_event import Draft, EventSender
from server.rooms.send_to_each import send_to_each
from server.storage.database import Database, Writes

_ID_LETTERS: Final = 12
# Two drafts each; between two batches others get their turn.
_ASKED_AT_ONCE: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a form carries: how somebody is, in whatever way it was found out."""

    status: Status
    comment: str = ""
    people: int | None = None
    geo_uri: str = ""

    def check(self) -> None:
        """Raise ``InvalidParam`` where it cannot be stored."""
        if len(self.comment) > MAX_COMMENT:
            raise InvalidParam(f"ひとことは{MAX_COMMENT}字までです")
        if self.people is not None and not 0 <= self.people <= MAX_PEOPLE:
            raise InvalidParam(f"人数は0から{MAX_PEOPLE}までです")
        if self.geo_uri and not is_geo_uri(self.geo_uri):
            raise InvalidParam("位置の書き方が正しくありません")


class SafetyChecks:
    """Safety checks of the association. Order of life: ``attach``, ``await open()``, ``resume()`` …, ``close_down``."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, clock: Clock, tasks: Tasks
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._clock = clock
        self._tasks = tasks
        self._going = OpenChecks()
        self.follow_ups = FollowUps(database, self._going, sender, members.node_user_id, clock, tasks)
        self._projection = SafetyProjection(members, self._going, self.follow_ups)
        self._asking = asyncio.Lock()

    def attach(self, acceptor: EventAcceptor, receipts: Receipts) -> None:
        """Look at every event and receipt; once, before the first."""
        self._projection.attach(acceptor, receipts)

    async def open(self) -> None:
        """Load what is going on."""
        for going in await store.load_unfinished(self._database):
            self._going.enter(going)

    def hears(self, room_id: str, text: str) -> bool:
        """Whether words in a 窓口 answer a check that is going on; a mere remark does not."""
        return self._going.meant_by(room_id, None) is not None and meaning_of_text(text).status is not None

    def resume(self) -> None:
        """Go on with what the node was doing when it was stopped or killed. Nobody is asked or told twice."""
        for going in self._going:
            if going.is_open:
                self._tasks.start("asking everybody", self.ask(going.check.id))
                for prompt in going.owed():
                    self.follow_ups.owe(prompt)
                self.follow_ups.moved(going.check.id)
            else:
                self._tasks.start("ending a safety check", self.finish(going.check.id))

    def close_down(self) -> None:
        """The node stops."""
        self.follow_ups.close()

    # ---- officers ---------------------------------------------------------------------------------------------------

    async def start(
        self, officer: str, title: str, audience: Audience, *, drill: bool, check_id: str = ""
    ) -> Check:
        """Begin a check. Answers when it is written down whom it concerns; the asking goes on by itself.

        Raises ``Forbidden``, ``InvalidParam`` (no title, nobody to ask) or ``NotFound`` (a block that is gone). What is
        started again under a ``check_id`` of before is one check.
        """
        check = await store.find_check(self._database, check_id) if check_id else None
        if check is None:
            check = await self.announce(officer, title, audience, drill=drill, check_id=check_id)
        self._tasks.start("asking everybody", self.ask(check.id))
        return check

    async def announce(
        self, officer: str, title: str, audience: Audience, *, drill: bool, check_id: str = ""
    ) -> Check:
        """Like ``start``, but nobody is asked before ``ask``."""
        self._members.require(officer, Right.RUN_SAFETY_CHECKS)
        if not self._members.audience(audience):
            raise InvalidParam("宛先にだれもいません")
        check = Check(check_id or random_letters(_ID_LETTERS), checked_title(title), drill, audience, officer,
                      State.ASKING, self._clock.now_ms())
        await self._sender.send(self._check_draft(check, self._members.hall_room(Purpose.DISASTER)))
        return check

    async def ask(self, check_id: str) -> None:
        """Ask everybody who has a 窓口 and was not asked yet, two messages each."""
        async with self._asking:
            going = self._going.get(check_id)
            if going is None:
                return
            message, poll = prompt_contents(going.check)
            unasked = going.unasked()
            for start in range(0, len(unasked), _ASKED_AT_ONCE):
                if not going.is_open:
                    return
                batch = unasked[start:start + _ASKED_AT_ONCE]
                await send_to_each(self._sender, [
                    [self._draft(prompt, "m.room.message", message), self._draft(prompt, START, poll)]
                    for prompt in batch
                ])
        self.follow_ups.moved(check_id)

    async def enter(
        self, officer: str, check_id: str, person_ids: Sequence[str], given: Given, channel: CameBy
    ) -> None:
        """Write down what persons said by telephone, at the door or on paper. It counts like an answer of their own.

        For a household give all its persons (``enter_for_household``). Raises ``Forbidden`` outside one's blocks,
        ``Refused`` once the check is closed.
        """
        going = self._require_open(check_id)
        given.check()
        if not person_ids:
            raise InvalidParam("だれの回答かをえらんでください")
        for person_id in person_ids:
            block = self._members.block_of(person_id)
            self._members.require(officer, Right.ENTER_ANSWERS, block.id)
        prompts = [await self._prompt(going, person_id) for person_id in dict.fromkeys(person_ids)]
        writes = Writes()
        for prompt in prompts:
            record(prompt, self._answer(prompt, given, channel, officer), writes)
        writes.after_commit.append(lambda: self.follow_ups.moved(check_id))
        await asyncio.shield(self._database.submit(writes))

    async def enter_for_household(
        self, officer: str, check_id: str, household_id: str, given: Given, channel: CameBy
    ) -> None:
        """Write down an answer for a whole household: it holds for everybody who lives there."""
        home = self._members.household(household_id)
        persons = [person.id for person in self._members.persons_at(home.id)]
        await self.enter(officer, check_id, persons, given, channel)

    async def close(self, officer: str, check_id: str) -> Figures:
        """End a check: no answer counts any more, the result stands in 防災, the polls are ended.

        Answers the final figures.
        """
        self._members.require(officer, Right.RUN_SAFETY_CHECKS)
        going = self._require_open(check_id)
        if State.CLOSED not in NEXT[going.check.state]:
            raise Refused("この安否確認はもう終わっています", code="M_BAD_STATE")
        closed = replace(going.check, state=State.CLOSED, closed_ts=self._clock.now_ms())
        await self._sender.send(self._check_draft(closed, going.room_id))
        figures = await self._post_result(going)
        self._tasks.start("ending a safety check", self.finish(check_id))
        return figures

    async def finish(self, check_id: str) -> None:
        """Whatever a closed check still owes: the result, the ends of the polls. Doing it twice is doing it once."""
        going = self._going.get(check_id)
        if going is None or going.is_open:
            return
        await self._post_result(going)
        text = f"{going.check.shown_title}は終わりました。"
        await send_to_each(self._sender, [
            [self._draft(prompt, END, end_content(prompt.poll_event or "", text))] for prompt in going.unended()
        ])
        self._going.drop(check_id)

    # ---- residents --------------------------------------------------------------------------------------------------

    async def answer(self, user_id: str, check_id: str, given: Given, *, by: str = "") -> None:
        """A resident presses a button on a page: the same as the event ``jp.kairan.safety.response``. ``by``: another
        one of the household has pressed it, on the telephone that they share.
        """
        given.check()
        going = self._require_open(check_id)
        person = self._members.person_of_user(user_id)
        prompt = going.prompts.get(person.id) if person is not None else None
        if person is None or prompt is None:
            raise Forbidden("この安否確認はあなた宛てではありません")
        if prompt.room_id is None:
            await self._answer_without_room(prompt, given, by)
            return
        content = {"check_id": check_id, "status": given.status.value, "comment": given.comment}
        if given.people is not None:
            content["people"] = given.people  # type: ignore[assignment]
        if given.geo_uri:
            content["geo_uri"] = given.geo_uri
        if by:
            content["by"] = by
        await self._sender.send(Draft(prompt.room_id, user_id, RESPONSE, content))

    async def _answer_without_room(self, prompt: Prompt, given: Given, by: str) -> None:
        """Somebody whose account is younger than the check has no question in a 窓口, but may answer all the same."""
        writes = Writes()
        record(prompt, self._answer(prompt, given, CameBy.APP, by), writes)
        writes.after_commit.append(lambda: self.follow_ups.moved(prompt.check_id))
        await asyncio.shield(self._database.submit(writes))

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _post_result(self, going: OpenCheck) -> Figures:
        """The last summary and the result in one commit, unless they stand there already."""
        figures = await self.follow_ups.figures(going.check.id)
        room = await self._sender.rooms.get(going.room_id)
        if room.content(SUMMARY, going.check.id).get("state") != State.CLOSED.value:
            result = Draft(going.room_id, self._members.node_user_id, "m.room.message",
                           result_content(going.check, figures))
            summary = self.follow_ups.summary_draft(going.check, going.room_id, figures)
            await self._sender.send_all(room, [summary, result])
        return figures

    async def _prompt(self, going: OpenCheck, person_id: str) -> Prompt:
        """A person's line; somebody who joined the roster later gets one now (in a commit of its own, before the
        answer changes it)."""
        prompt = going.prompts.get(person_id)
        if prompt is None:
            prompt = new_prompt(self._members, going.check.id, person_id)
            writes = Writes()
            store.add_prompt(writes, prompt)
            await asyncio.shield(self._database.submit(writes))
            prompt = going.prompts.get(person_id, prompt)
            if person_id not in going.prompts:
                self._going.add(prompt)
        return prompt

    def _answer(self, prompt: Prompt, given: Given, channel: CameBy, entered_by: str) -> Answer:
        return Answer(
            random_letters(_ID_LETTERS), prompt.last_place + 1, self._clock.now_ms(), given.status,
            given.comment.strip(), given.people, given.geo_uri, channel, entered_by,
        )

    def _require_open(self, check_id: str) -> OpenCheck:
        going = self._going.get(check_id)
        if going is None:
            raise NotFound("その安否確認は、ないか、もう終わっています")
        if not going.is_open:
            raise Refused("この安否確認はもう終わっています", code="M_BAD_STATE")
        return going

    def _check_draft(self, check: Check, room_id: str) -> Draft:
        return Draft(room_id, self._members.node_user_id, CHECK, check.as_content(), state_key=check.id)

    def _draft(self, prompt: Prompt, kind: str, content: dict[str, object]) -> Draft:
        return Draft(prompt.room_id or "", self._members.node_user_id, kind, content)
