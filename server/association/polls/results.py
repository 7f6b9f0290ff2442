"""Results of polls: per person, per household, as a table for a spreadsheet. Reading only."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.association.polls import polls_store as store
from server.association.polls.model import (
    Answer,
    Poll,
    Tally,
    household_answer,
    last_answers,
    tally_of,
)
from server.foundation.clock import tokyo_time
from server.foundation.errors import Forbidden, NotFound
from server.storage.database import Database

_HEAD: Final = ("班", "世帯", "名前", "回答", "時刻", "方法")
# What a spreadsheet takes for a formula at the beginning of a cell.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the audience, with what counts of their answers."""

    person: Person
    block: str
    household: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Result:
    """A poll's result. ``rows`` in walking order."""

    poll: Poll
    persons: Tally
    households: Tally
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class OwnPoll:
    """A poll as a resident sees it."""

    poll: Poll
    chosen: tuple[str, ...]


class PollResults:
    """Read models of polls."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database = database
        self._members = members

    async def poll(self, poll_id: str) -> Poll:
        """One poll, open or closed; raises ``NotFound``."""
        poll = await store.find_poll(self._database, poll_id)
        if poll is None:
            raise NotFound("そのアンケートはありません")
        return poll

    async def polls(self, officer: str, limit: int = 20, before_ts: int | None = None) -> list[Poll]:
        """All polls, newest first."""
        self._require_officer(officer)
        return await store.polls_newest_first(self._database, limit, before_ts)

    async def polls_for(self, user_id: str) -> list[OwnPoll]:
        """The open polls that ask this resident, newest first, each with what they have chosen."""
        person = self._members.person_of_user(user_id)
        found = []
        for poll in await store.open_polls_of(self._database) if person is not None else []:
            if person is not None and self._reaches(poll, user_id):
                answers = await store.answers_of(self._database, poll.id, person.id)
                last = last_answers(answers).get(person.id)
                found.append(OwnPoll(poll, last.chosen if last is not None else ()))
        return found

    async def result(self, officer: str, poll_id: str) -> Result:
        """The result with who has said what."""
        self._require_officer(officer)
        poll = await self.poll(poll_id)
        last, people = last_answers(await store.answers_of(self._database, poll_id)), self._audience(poll)
        persons, households = self._tallies(poll, people, last)
        rows = [Row(person, self._members.block_of(person.id).name,
                    self._members.household(person.household_id).name, last.get(person.id)) for person in people]
        return Result(poll, persons, households, rows)

    async def tallies(self, poll: Poll) -> tuple[Tally, Tally]:
        """Figures per person and per household."""
        last = last_answers(await store.answers_of(self._database, poll.id))
        return self._tallies(poll, self._audience(poll), last)

    async def csv(self, officer: str, poll_id: str) -> bytes:
        """The result as a file for a spreadsheet: UTF-8 with a mark, no cell is a formula."""
        result = await self.result(officer, poll_id)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(_HEAD)
        for row in result.rows:
            writer.writerow([as_plain_cell(cell) for cell in _cells(result.poll, row)])
        return text.getvalue().encode("utf-8-sig")

    def _tallies(self, poll: Poll, people: Sequence[Person], last: dict[str, Answer]) -> tuple[Tally, Tally]:
        homes: dict[str, list[str]] = {}
        for person in people:
            homes.setdefault(person.household_id, []).append(person.id)
        return (
            tally_of(poll, [last.get(person.id) for person in people]),
            tally_of(poll, [household_answer(home, last) for home in homes.values()]),
        )

    def _audience(self, poll: Poll) -> list[Person]:
        """Whom the roster counts today; nobody where the block or group is gone."""
        try:
            return self._members.audience(poll.audience)
        except NotFound:
            return []

    def _reaches(self, poll: Poll, user_id: str) -> bool:
        person = self._members.person_of_user(user_id)
        return person is not None and any(item.id == person.id for item in self._audience(poll))

    def _require_officer(self, officer: str) -> None:
        if not self._members.blocks_with(officer, Right.ENTER_ANSWERS):
            raise Forbidden("アンケートの一覧は、役員だけが見られます")


def as_plain_cell(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula (OWASP "CSV Injection"): an apostrophe before it."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_SIGNS) or text.startswith(_FORMULA_SIGNS) else text


def _cells(poll: Poll, row: Row) -> tuple[str, ...]:
    if row.answer is None:
        return row.block, row.household, row.person.name, "", "", ""
    chosen = "、".join(poll.text_of(choice) for choice in row.answer.chosen)
    when = f"{tokyo_time(row.answer.ts):%Y-%m-%d %H:%M}"
    return row.block, row.household, row.person.name, chosen, when, row.answer.channel.label
