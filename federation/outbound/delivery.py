"""Delivering the outbox: one ordered queue a destination, each transaction until it has arrived.

What is worth telling only now rides along, and is dropped where nobody answers.

Source: server-server API, "Transactions". A destination that does not answer is tried again after a pause that
doubles; as soon as it shows that it lives (it has asked us something), it is tried at once. Nobody waits for another.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from federation.identity.servers import PeerRefused, Servers, path_of
from federation.outbound.parcel_store import Item, NextItems
from federation.outbound.passing import Passing
from server.foundation.canonical_json import canonical_json
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks
from server.outbox.outbox_store import (
    Pause,
    drop_all,
    drop_parcels,
    end_pause,
    pauses,
    set_pause,
    waiting_destinations,
)
from server.rooms.ports import PeerFailed
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

MOST_EVENTS: Final = 50
MOST_MESSAGES: Final = 100
_FIRST_PAUSE_MS: Final = 2_000
_LONGEST_PAUSE_MS: Final = 6 * 3_600_000
# The city and the neighbours: they must hear of us soon after they are back.
_LONGEST_NEAR_MS: Final = 5 * 60_000
_MOST_ITEMS: Final = MOST_EVENTS + MOST_MESSAGES
_TIMEOUT_S: Final = 60.0
_GATHERED_S: Final = 0.2
_GATHERED_PER_DESTINATION_S: Final = 0.005
# Who has not answered for so long is not waited for; when it is back, it can fetch what it missed.
_GIVEN_UP_MS: Final = 60 * 86_400_000
# A pause ends with the next try. Where much more time has passed the node was off, or its clock was wrong.
_IN_A_ROW_MS: Final = 86_400_000
# Of all messages in one transaction; a single larger one goes alone.
_MOST_MESSAGE_BYTES: Final = 2 * 1024 * 1024


class Delivery:
    """Takes things out of the outbox."""

    def __init__(
        self, database: Database, servers: Servers, clock: Clock, tasks: Tasks, server_name: str,
        near: Collection[str] = (),
    ) -> None:
        self._database = database
        self._next = NextItems(database, tasks, _MOST_ITEMS)
        self._servers = servers
        self._clock = clock
        self._tasks = tasks
        self._server_name = server_name
        self._near = frozenset(near)
        self._pauses: dict[str, Pause] = {}
        self._at_work: dict[str, asyncio.Event] = {}
        self._passing: dict[str, Passing] = {}
        # Destinations for which something passing waits for company.
        self._riding: set[str] = set()
        # Destinations for which more is waiting than the last transaction could carry.
        self._rests: set[str] = set()
        # What was sent and may have been heard, by its positions: it goes again as it was.
        self._unanswered: dict[str, set[int]] = {}
        # Who has not heard yet that we are back.
        self._to_greet: set[str] = set()
        self._numbers = itertools.count(1)

    async def open(self) -> None:
        """Go on with what was waiting when the node stopped."""
        self._pauses = await pauses(self._database)
        await self.give_up()
        for destination in dict.fromkeys([*await waiting_destinations(self._database), *self._pauses]):
            self.wake(destination)

    def greet(self, destination: str) -> None:
        """Show a server that we are back: it may have given us up, and keep what it has for us."""
        self._to_greet.add(destination)
        self.wake(destination)

    async def give_up(self) -> None:
        """Drop what waits for servers that were tried in vain for months: by the times of the tries, and not by a clock
        that may have been set years ahead a moment ago. To be called now and then.
        """
        waited_for = set(await waiting_destinations(self._database))
        oldest = self._clock.now_ms() - _GIVEN_UP_MS
        gone = [
            name for name, pause in self._pauses.items()
            if pause.retry_ts - pause.failing_since_ts >= _GIVEN_UP_MS
            or (pause.retry_ts < oldest and name not in waited_for)
        ]
        writes = Writes()
        for destination in gone:
            drop_all(writes, destination)
            self._to_greet.discard(destination)
            self._pauses.pop(destination)
            end_pause(writes, destination)
        if gone:
            await asyncio.shield(self._database.submit(writes))

    def wake(self, destination: str) -> None:
        """There is something new for ``destination``."""
        at_work = self._at_work.get(destination)
        if at_work is not None:
            at_work.set()
            return
        self._at_work[destination] = asyncio.Event()
        self._tasks.start(f"delivery to {destination}", self._work(destination))

    def pass_on(self, destination: str, add: Callable[[Passing], None], *, at_once: bool = True) -> None:
        """Something that is worth telling only now, unless ``destination`` is known to be away.

        If not ``at_once``, with what else comes within a moment: the more servers are to be told, the longer.
        """
        if not self.is_away(destination):
            add(self._passing.setdefault(destination, Passing()))
            if at_once:
                self.wake(destination)
            elif destination not in self._riding:
                self._riding.add(destination)
                self._tasks.start("passing", self._wake_later(destination))

    async def _wake_later(self, destination: str) -> None:
        try:
            await self._clock.sleep(_GATHERED_S + _GATHERED_PER_DESTINATION_S * len(self._riding))
        finally:
            self._riding.discard(destination)
        self.wake(destination)

    def is_away(self, destination: str) -> bool:
        """Whether a destination does not answer and is not to be tried now."""
        pause = self._pauses.get(destination)
        return pause is not None and pause.left_ms(self._clock.now_ms()) > 0

    def is_alive(self, destination: str) -> None:
        """It has asked us something: no need to wait until the end of a pause."""
        if destination in self._pauses:
            self._end_pause(destination)
            self.wake(destination)

    def pause_of(self, destination: str) -> Pause | None:
        """Since when a destination does not answer, if it does not."""
        return self._pauses.get(destination)

    async def _work(self, destination: str) -> None:
        news = self._at_work[destination]
        try:
            while True:
                news.clear()
                await self._wait_for_pause(destination, news)
                items = await self._next.of(destination)
                if items or self._passing.get(destination) or destination in self._to_greet:
                    await self._send(destination, items)
                if self._is_done(destination, items, news):
                    return
        finally:
            del self._at_work[destination]
            self._passing.pop(destination, None)

    def _is_done(self, destination: str, items: Sequence[Item], news: asyncio.Event) -> bool:
        """Whether nothing can be left, without looking again."""
        all_sent = not items or (len(items) < _MOST_ITEMS and destination not in self._rests)
        all_sent = all_sent and destination not in self._to_greet
        return all_sent and not news.is_set() and not self._passing.get(destination)

    async def _wait_for_pause(self, destination: str, news: asyncio.Event) -> None:
        while (pause := self._pauses.get(destination)) is not None:
            left = pause.left_ms(self._clock.now_ms())
            if not left:
                return
            timer = self._clock.call_later(left / 1000, news.set)
            try:
                await news.wait()
            finally:
                timer.cancel()
            news.clear()

    async def _send(self, destination: str, items: Sequence[Item]) -> None:
        batch = _batch(self._due(destination, items))
        self._rests.discard(destination)
        if len(batch) < len(items):
            self._rests.add(destination)
        passing = self._passing.get(destination, Passing()).take(MOST_MESSAGES - _count_messages(batch))
        path = path_of("/_matrix/federation/v1/send", self._txn_id(batch))
        try:
            answer = await self._servers.tell(destination, path, self._body(batch, passing), timeout_s=_TIMEOUT_S)
        except PeerRefused as refused:
            if refused.status in (400, 403, 413) and len(batch) <= 1:
                logger.warning("%s refuses what we send: %s", destination, refused.code)
                await self._arrived(destination, batch)
            elif refused.status in (400, 413):
                # One of them must be the cause; nobody else's news shall wait for it.
                await self._send(destination, batch[: len(batch) // 2])
                self._rests.add(destination)
            else:
                await self._pause(destination)
            return
        except PeerFailed:
            self._unanswered[destination] = {item.parcel.position for item in batch}
            await self._pause(destination)
            return
        _note_refused(destination, answer)
        await self._arrived(destination, batch)

    def _due(self, destination: str, items: Sequence[Item]) -> Sequence[Item]:
        """What is to be sent now: what was not answered, the same again, unless there is an alert beside it."""
        before = self._unanswered.get(destination, set())
        again = [item for item in items if item.parcel.position in before]
        is_alert = any(item.parcel.urgent for item in items if item.parcel.position not in before)
        return items if is_alert or not again else again

    def _body(self, batch: Sequence[Item], passing: Sequence[Mapping[str, Any]]) -> bytes:
        """The transaction as canonical JSON. Events are stored so; only what passes has to be written."""
        events = [item.json for item in batch if item.is_event and item.json is not None]
        messages = [item.json for item in batch if not item.is_event and item.json is not None]
        messages += [canonical_json(message) for message in passing]
        return b'{"edus":[%b],"origin":"%b","origin_server_ts":%d,"pdus":[%b]}' % (
            b",".join(messages), self._server_name.encode(), self._clock.now_ms(), b",".join(events)
        )

    async def _arrived(self, destination: str, batch: Sequence[Item]) -> None:
        self._to_greet.discard(destination)
        self._unanswered.pop(destination, None)
        writes = Writes()
        drop_parcels(writes, [item.parcel for item in batch])
        if self._pauses.pop(destination, None) is not None:
            end_pause(writes, destination)
        await asyncio.shield(self._database.submit(writes))

    async def _pause(self, destination: str) -> None:
        self._rests.add(destination)
        now = self._clock.now_ms()
        self._passing.pop(destination, None)
        before = self._pauses.get(destination)
        longest = _LONGEST_NEAR_MS if destination in self._near else _LONGEST_PAUSE_MS
        length = _FIRST_PAUSE_MS if before is None else min(before.pause_ms * 2, longest)
        in_a_row = before is not None and 0 <= now - before.retry_ts <= _IN_A_ROW_MS
        since = before.failing_since_ts if before is not None and in_a_row else now
        pause = self._pauses[destination] = Pause(destination, since, now + length, length)
        writes = Writes()
        set_pause(writes, pause)
        await asyncio.shield(self._database.submit(writes))

    def _end_pause(self, destination: str) -> None:
        pause = self._pauses[destination]
        self._pauses[destination] = pause._replace(retry_ts=0)

    def _txn_id(self, batch: Sequence[Item]) -> str:
        """The same for the same things, so that what is sent twice is taken once.

        And never the same for others: positions alone come again where a node of this name was set up anew.
        """
        if not batch:
            return f"passing-{self._clock.now_ms()}-{next(self._numbers)}"
        digest = hashlib.sha256()
        for item in batch:
            event_id = item.parcel.event_id
            digest.update(b"%d %b\n" % (item.parcel.position, event_id.encode() if event_id else item.json or b""))
        return digest.hexdigest()[:32]


def _batch(items: Sequence[Item]) -> list[Item]:
    """As much as one transaction may carry."""
    events = [item for item in items if item.is_event][:MOST_EVENTS]
    messages: list[Item] = []
    left = _MOST_MESSAGE_BYTES
    for item in items:
        if not item.is_event and len(messages) < MOST_MESSAGES:
            left -= len(item.json or b"")
            if left < 0 and messages:
                break
            messages.append(item)
    return events + messages


def _count_messages(batch: Sequence[Item]) -> int:
    return sum(not item.is_event for item in batch)


def _note_refused(destination: str, answer: object) -> None:
    results = answer.get("pdus") if isinstance(answer, dict) else None
    refused = [item for item in results.values() if isinstance(item, dict) and "error" in item] if isinstance(
        results, dict) else []
    if refused:
        logger.info("%s has refused %d of our events", destination, len(refused))
