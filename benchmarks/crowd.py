"""People who wait on /sync, all at once, as phones do."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.matrix_client import Json, Person, gaps, next_batch
from benchmarks.measuring import in_lanes
from benchmarks.servers import ServerProcess

_LONG_POLL_MS = 30_000
_LANES = 16
_LAZY: Json = {"lazy_load_members": True}
_CATCH_UP: Json = {"room": {"timeline": {"limit": 1}, "state": _LAZY}}
# Long, so that as little as possible is cut off when many speak at once: everybody shall receive every message.
_WAITING: Json = {"room": {"timeline": {"limit": 2000}, "state": _LAZY}}


class Watch:
    """Waits until everybody has seen `wanted` different texts that match a pattern (its first group)."""

    def __init__(self, pattern: re.Pattern[bytes], wanted: int, watchers: int) -> None:
        self._pattern = pattern
        self._wanted = wanted
        self._seen: list[set[bytes]] = [set() for _ in range(watchers)]
        self._done_at: list[float | None] = [None] * watchers
        self._missing = watchers
        self._all_done = asyncio.Event()

    def look(self, watcher: int, body: bytes) -> bool:
        """Takes in one answer that one watcher got; whether all of it was new to them."""
        if self._done_at[watcher] is not None:
            return False
        seen = self._seen[watcher]
        found = set(self._pattern.findall(body))
        all_new = bool(found) and seen.isdisjoint(found)
        seen |= found
        if len(seen) >= self._wanted:
            self._done_at[watcher] = time.perf_counter()
            self._missing -= 1
            if not self._missing:
                self._all_done.set()
        return all_new

    def lacks(self, watcher: int) -> bool:
        """Whether one watcher has not seen everything yet."""
        return self._done_at[watcher] is None

    async def done(self, patience_s: float) -> bool:
        """Whether everybody saw everything in time."""
        try:
            async with asyncio.timeout(patience_s):
                await self._all_done.wait()
        except TimeoutError:
            return False
        return True

    def seconds_since(self, begin: float) -> list[float]:
        """For those who have seen everything: how long after `begin`."""
        return [at - begin for at in self._done_at if at is not None]

    @property
    def missing(self) -> int:
        """How many sightings are still missing."""
        return sum(max(0, self._wanted - len(seen)) for seen in self._seen)


class Crowd:
    """People with an open long poll each."""

    def __init__(self, server: ServerProcess, people: Sequence[Person]) -> None:
        self.server = server
        self.people = people
        self._watch: Watch | None = None

    def watch_for(self, pattern: re.Pattern[bytes], wanted: int) -> Watch:
        """From now on everybody looks for texts that match; one watch at a time."""
        self._watch = Watch(pattern, wanted, len(self.people))
        return self._watch

    async def wait_forever(self, number: int, filter_id: str) -> None:
        """One person's life: wait, look, wait again from the new token."""
        person = self.people[number]
        while True:
            body = await person.sync(since=person.since, timeout_ms=_LONG_POLL_MS, filter_id=filter_id)
            person.since = next_batch(body)
            if self._watch is not None:
                self._watch.look(number, body)
                if self._watch.lacks(number):
                    await self._fill_gaps(number, body, self._watch)

    async def _fill_gaps(self, number: int, body: bytes, watch: Watch) -> None:
        # A server may cut a long timeline off; who wants every message then reads back to what they know.
        for room_id, cut_off_at in gaps(body).items():
            token = cut_off_at
            while token:
                page, token = await self.people[number].earlier(room_id, token)
                if not watch.look(number, page):
                    break


@asynccontextmanager
async def waiting_crowd(server: ServerProcess, people: Sequence[Person]) -> AsyncIterator[Crowd]:
    """Brings everybody up to date, lets them wait, and hangs up at the end."""
    crowd = Crowd(server, people)
    filters = await in_lanes(_LANES, [_catch_up(person) for person in people])
    async with asyncio.TaskGroup() as lives:
        tasks = [lives.create_task(crowd.wait_forever(number, filters[number])) for number in range(len(people))]
        await server.settle(patience_s=30.0)
        yield crowd
        for task in tasks:
            task.cancel()
    for person in people:
        await person.waiting.close()


async def _catch_up(person: Person) -> str:
    """Bring one person up to date; answers the filter with which they wait."""
    await person.catch_up(await person.filter_id(_CATCH_UP))
    filter_id = await person.filter_id(_WAITING)
    await person.talking.close()  # a phone in a pocket has one connection open: the one on which it waits
    return filter_id
