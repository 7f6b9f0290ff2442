"""Answer slips on paper: printed in walking order with a code each, and found again by that code when they return."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Final

from server.association.members.members import Members
from server.association.members.model import Right
from server.association.polls import slips_store as store
from server.association.polls.counting import Answer
from server.association.polls.model import Counting, Poll
from server.association.polls.results import PollResults
from server.association.polls.slip import Slip
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.worker_process import WorkerError, WorkerLimits, WorkerProcess
from server.storage.database import Database, Writes

MAX_PHOTO_BYTES: Final = 16 * 1024 * 1024
# A photo of 50 million points is opened for a moment.
SLIP_LIMITS: Final = WorkerLimits(memory_mb=700, job_s=20)
_ID_LETTERS: Final = 12
_SHEET: Final = "server.association.polls.slip_sheet:slips_pdf"
_READING: Final = "server.association.polls.slip_reading:codes_in"
_MOST_SLIPS: Final = 3_000
_CODE: Final = re.compile(r"/slips/([A-Za-z0-9]{8,20})(?:$|[?#/])")


@dataclass(frozen=True, slots=True)
class FoundSlip:
    """A slip that has come back: whose it is, and what holds for them so far."""

    slip: Slip
    poll: Poll
    block: str
    name: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Print:
    """What stands on every slip: the association's name, and the address of the pages."""

    association: str
    address: str


class Slips:
    """Slips of polls. Two workers set the papers and open the photos: ``printing`` and ``reading``."""

    def __init__(
        self, database: Database, members: Members, results: PollResults, printing: WorkerProcess,
        reading: WorkerProcess, on_paper: Print,
    ) -> None:
        self._database = database
        self._members = members
        self._results = results
        self._printing = printing
        self._reading = reading
        self._on_paper = on_paper

    async def pdf(self, officer: str, poll_id: str, *, everybody: bool = False) -> bytes:
        """Slips for the households that get paper (or all of them) whom the officer looks after, in walking order."""
        result = await self._results.result(officer, poll_id)
        if not result.poll.is_open:
            raise Refused("このアンケートはもう終わっています", code="M_BAD_STATE", status=409)
        wanted = [
            (home.household_id, person_id, home.block, name) for home in result.household_rows
            for person_id, name in self._voices(result.poll, home.household_id, home.name)
            if everybody or self._gets_paper(home.household_id)
        ]
        if not 0 < len(wanted) <= _MOST_SLIPS:
            raise InvalidParam("紙の世帯は、ありません" if not wanted else f"用紙は{_MOST_SLIPS}枚までです")
        known = await self._made(poll_id, [(home_id, person_id) for home_id, person_id, _, _ in wanted])
        slips = [{"id": known[home_id, person_id], "block": block, "name": name}
                 for home_id, person_id, block, name in wanted]
        return (await self._printing.run(_SHEET, self._values(result.poll, slips))).data

    async def codes_in(self, photo: bytes) -> list[str]:
        """The ids of all slips that a photo shows; empty where none can be read. Raises ``InvalidParam``."""
        if not 0 < len(photo) <= MAX_PHOTO_BYTES:
            raise InvalidParam("写真が大きすぎます")
        try:
            answer = await self._reading.run(_READING, {}, photo)
        except WorkerError:
            raise InvalidParam("この写真は読めません。もう一度うつしてください") from None
        except Refused as fault:  # what the worker says of a photo
            raise InvalidParam(fault.reason) from None
        found = (_CODE.search(text) for text in answer.values["texts"])
        return list(dict.fromkeys(match[1] for match in found if match is not None))

    async def find(self, officer: str, slip_id: str) -> FoundSlip:
        """A slip that has come back; raises ``NotFound``, and ``Forbidden`` outside one's blocks."""
        slip = await self.slip(slip_id)
        home = self._members.household(slip.household_id)
        self._members.require(officer, Right.ENTER_ANSWERS, home.block_id)
        result = await self._results.result(officer, slip.poll_id)
        if slip.person_id:
            answer = next((row.answer for row in result.rows if row.person.id == slip.person_id), None)
            name = self._members.person(slip.person_id).name
        else:
            answer = next((row.answer for row in result.household_rows if row.household_id == home.id), None)
            name = home.name
        return FoundSlip(slip, result.poll, self._members.block(home.block_id).name, name, answer)

    async def slip(self, slip_id: str) -> Slip:
        """What a code stands for; raises ``NotFound``."""
        slip = await store.find_slip(self._database, slip_id)
        if slip is None:
            raise NotFound("この用紙は、この町内会のものではありません")
        return slip

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _voices(self, poll: Poll, household_id: str, name: str) -> list[tuple[str, str]]:
        """Who answers in a household: it as a whole, or each of its people."""
        if poll.counting is Counting.HOUSEHOLD:
            return [("", name)]
        asked = {voter.person_id for voter in self._results.voters_today(poll)}
        return [(person.id, person.name) for person in self._members.persons_at(household_id) if person.id in asked]

    def _gets_paper(self, household_id: str) -> bool:
        try:
            return self._members.channel_of(household_id).has_paper
        except NotFound:
            return False

    async def _made(self, poll_id: str, voices: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The ids of their slips: those of an earlier printing stay good."""
        known = {(slip.household_id, slip.person_id) for slip in await store.slips_of(self._database, poll_id)}
        writes = Writes()
        for home_id, person_id in voices:
            if (home_id, person_id) not in known:
                store.add_slip(writes, Slip(random_letters(_ID_LETTERS), poll_id, home_id, person_id))
        if writes.rows:
            await asyncio.shield(self._database.submit(writes))
        made = await store.slips_of(self._database, poll_id)
        return {(slip.household_id, slip.person_id): slip.id for slip in made}

    def _values(self, poll: Poll, slips: list[dict[str, str]]) -> dict[str, Any]:
        until = "" if poll.deadline is None else f"{tokyo_time(poll.deadline):%-m月%-d日}まで"
        return {
            "association": self._on_paper.association, "address": self._on_paper.address, "question": poll.question,
            "choices": [choice.text for choice in poll.choices], "many": poll.most > 1, "until": until, "slips": slips,
        }
