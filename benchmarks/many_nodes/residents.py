"""Everybody's phone: waits on /sync, and answers the safety check as soon as its question is there."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.http_client import RawHttpClient
from benchmarks.many_nodes.houses import House, Phone
from benchmarks.matrix_client import Json, Person, next_batch
from benchmarks.measuring import in_lanes

_LANES = 64
_LONG_POLL_MS = 30_000
_FIRST: Json = {"room": {"timeline": {"limit": 1}, "state": {"lazy_load_members": True, "types": []}}}
_WAITING: Json = {"room": {"timeline": {"limit": 20}, "state": {"lazy_load_members": True}}}
_PROMPT = b"jp.kairan.safety.prompt"
_RECEIVED = re.compile(rb"jp\.kairan\.safety\.received")
_WORDS = ("無事", "1", "無事です", "2", "無事")


@dataclass(slots=True)
class Resident:
    """One phone. Moments are seconds of ``time.perf_counter``; ``answer_s`` is how long the node took to accept."""

    number: int
    person: Person
    room_id: str
    filter_id: str = ""
    asked_at: float | None = None
    told_at: float | None = None
    answer_s: float | None = None
    polls: int = 0

    async def arrive(self) -> None:
        """Catch up once."""
        await self.person.catch_up(await self.person.filter_id(_FIRST))
        self.filter_id = await self.person.filter_id(_WAITING)

    async def wait(self, answering: asyncio.TaskGroup) -> None:
        """Wait for news, for ever; answer as soon as asked."""
        while True:
            self.polls += 1
            body = await self.person.sync(
                since=self.person.since, timeout_ms=_LONG_POLL_MS, filter_id=self.filter_id
            )
            self.person.since = next_batch(body)
            if self.asked_at is None and _PROMPT in body:
                self.asked_at = time.perf_counter()
                answering.create_task(self._answer())
            if self.told_at is None and _RECEIVED.search(body):
                self.told_at = time.perf_counter()

    async def _answer(self) -> None:
        begun = time.perf_counter()
        await self.person.send(self.room_id, _WORDS[self.number % len(_WORDS)])
        self.answer_s = time.perf_counter() - begun


@dataclass(slots=True)
class Residents:
    """Everybody of all nodes."""

    all: list[Resident] = field(default_factory=list)

    @classmethod
    def of(cls, houses: Sequence[House]) -> Residents:
        """With a connection to talk on and one to wait on for each."""
        everybody = [(house, phone) for house in houses for phone in house.phones]
        return cls([_resident(number, house, phone) for number, (house, phone) in enumerate(everybody)])

    async def arrive(self) -> None:
        """Everybody catches up, a few at a time."""
        await in_lanes(_LANES, [resident.arrive() for resident in self.all])

    async def reach(self, what: str, patience_s: float) -> int:
        """Wait until everybody has that moment, or as long as that; how many have it."""
        last = time.perf_counter() + patience_s
        while (count := self.count(what)) < len(self.all) and time.perf_counter() < last:
            await asyncio.sleep(0.05)
        return count

    def count(self, what: str) -> int:
        """How many have that moment."""
        return sum(getattr(resident, what) is not None for resident in self.all)

    async def leave(self) -> None:
        """Close all connections."""
        for resident in self.all:
            await resident.person.talking.close()
            await resident.person.waiting.close()


def _resident(number: int, house: House, phone: Phone) -> Resident:
    person = Person(phone.user_id, phone.token, RawHttpClient(house.port), RawHttpClient(house.port))
    return Resident(number, person, phone.room_id)
