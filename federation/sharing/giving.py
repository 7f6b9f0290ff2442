"""What neighbours are shown is brought up to date: what has changed since it was told last is told again.

Nothing remembers what is still to be told: what shall stand there, and what was told, are compared. So whoever is
stopped in the middle goes on, and nothing goes twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from federation.sharing.book import ShareBook
from federation.sharing.contents import message_of
from federation.sharing.model import Kind, Share, Subject, Thing
from federation.sharing.things_store import digest_of, given_in
from server.foundation.clock import Timer
from server.foundation.errors import Refused
from server.foundation.tasks import Tasks
from server.rooms.send_event import Draft, EventSender

logger = logging.getLogger(__name__)

_SOON_S: Final = 0.3
_HOUR_MS: Final = 3_600_000
# Well below what a neighbour takes in an hour.
_MOST_AN_HOUR: Final = 400
_GONE_BODY: Final = "（取り消されました）"


class Source(Protocol):
    """Something of ours that neighbours may see."""

    subject: Subject

    async def things(self, share: Share) -> Sequence[Thing]:
        """All that this neighbour shall see now."""


class Giving:
    """Tells neighbours what they may see."""

    def __init__(self, book: ShareBook, sender: EventSender, tasks: Tasks) -> None:
        self._book = book
        self._sender = sender
        self._tasks = tasks
        self._sources: list[Source] = []
        self._chores: list[Callable[[], Awaitable[object]]] = []
        self._working = asyncio.Lock()
        self._timer: Timer | None = None
        self._is_closed = False
        self._spent: dict[str, tuple[int, int]] = {}

    def add(self, source: Source) -> None:
        """One more thing that can be shown."""
        self._sources.append(source)

    def add_chore(self, chore: Callable[[], Awaitable[object]]) -> None:
        """Something else to do now and then."""
        self._chores.append(chore)

    def moved(self) -> None:
        """Something that neighbours may see has perhaps changed."""
        if self._timer is None and not self._is_closed and self._book.in_force():
            self._timer = self._book.clock.call_later(_SOON_S, self._start)

    def close(self) -> None:
        """The node stops."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    async def step(self) -> None:
        """Bring everybody up to date."""
        for chore in self._chores:
            await chore()
        await self.bring_all()

    async def bring_all(self) -> None:
        """Bring everybody up to date."""
        async with self._working:
            for share in self._book.in_force():
                try:
                    await self._bring(share)
                except Refused as refused:
                    logger.warning("a neighbour could not be told: %s", refused)

    def _start(self) -> None:
        self._timer = None
        self._tasks.start("what neighbours see", self.bring_all())

    async def _bring(self, share: Share) -> None:
        wanted = {(thing.kind.value, thing.id): thing for thing in await self._wanted(share)}
        known = await given_in(self._book.database, share.room_id)
        gone = digest_of(None)
        changed = [
            thing for key, thing in wanted.items()
            if key not in known or known[key].digest != digest_of(thing.value)
        ]
        changed += [
            Thing(Kind(kind), thing_id, None, _GONE_BODY) for (kind, thing_id), given in known.items()
            if (kind, thing_id) not in wanted and given.digest != gone
        ]
        drafts = []
        for thing in changed[:self._allowance(share, len(changed))]:
            before = known.get((thing.kind.value, thing.id))
            revision = max(self._book.clock.now_ms(), before.revision + 1 if before is not None else 0)
            content = message_of(thing, revision)
            drafts.append(Draft(share.room_id, self._book.us.user_id, "m.room.message", content))
        if drafts:
            await self._sender.send_many(drafts)

    async def _wanted(self, share: Share) -> list[Thing]:
        found: list[Thing] = []
        for source in self._sources:
            if share.shares(source.subject):
                found += await source.things(share)
        return found

    def _allowance(self, share: Share, wanted: int) -> int:
        """How many may go now; what does not goes within the next hour."""
        now = self._book.clock.now_ms()
        since, spent = self._spent.get(share.room_id, (now, 0))
        if now - since >= _HOUR_MS:
            since, spent = now, 0
        allowed = min(wanted, _MOST_AN_HOUR - spent)
        self._spent[share.room_id] = (since, spent + allowed)
        return allowed
