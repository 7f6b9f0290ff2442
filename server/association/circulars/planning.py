"""Circulars that go round at a set time. What is planned is a row; it is sent under its own id, so twice is once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from server.association.circulars import planned_store as store
from server.association.circulars.actions import Circulars
from server.association.circulars.model import Circular, Letter
from server.association.circulars.planned import Planned
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

_ID_LETTERS: Final = 12
_FARTHEST_MS: Final = 400 * 86_400_000


class PlannedCirculars:
    """Order of life: ``await open()``, then ``publish_due`` again and again; where nothing is due it costs no SQL."""

    def __init__(self, database: Database, clock: Clock, members: Members, circulars: Circulars) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._circulars = circulars
        self._planned: dict[str, Planned] = {}
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Load what is planned."""
        for planned in await store.load_planned(self._database):
            self._planned[planned.id] = planned

    def all(self, officer: str) -> list[Planned]:
        """What this officer may send round, the soonest first."""
        if not self._members.blocks_with(officer, Right.POST_CIRCULARS):
            raise Forbidden("回覧の一覧は、役員だけが見られます")
        found = [item for item in self._planned.values() if self._is_theirs(officer, item)]
        return sorted(found, key=lambda item: (item.publish_ts, item.id))

    def one(self, officer: str, planned_id: str) -> Planned:
        """One of them; raises ``Forbidden`` or ``NotFound``."""
        planned = self._planned.get(planned_id)
        if planned is None:
            raise NotFound("その予約はありません。もう回覧したか、やめたものです")
        self._circulars.require_right(officer, planned.letter.audience)
        return planned

    async def plan(self, officer: str, letter: Letter, publish_ts: int) -> Planned:
        """Send ``letter`` round at ``publish_ts``. Raises ``Forbidden`` and ``InvalidParam``."""
        self._circulars.require_right(officer, letter.audience)
        self._check(letter, publish_ts)
        planned = Planned(random_letters(_ID_LETTERS), officer, letter, publish_ts)
        await self._put(planned)
        return planned

    async def change(self, officer: str, planned_id: str, letter: Letter, publish_ts: int, revision: int) -> Planned:
        """Other words, or another time; raises ``Refused`` (412) where somebody was faster."""
        async with self._turn:
            before = self.one(officer, planned_id)
            if before.revision != revision:
                raise Refused("ほかの人が先に変えました。新しい文を読んでから、もう一度おしてください", status=412)
            self._circulars.require_right(officer, letter.audience)
            self._check(letter, publish_ts)
            after = Planned(before.id, officer, letter, publish_ts, revision=before.revision + 1)
            await self._put(after)
            return after

    async def drop(self, officer: str, planned_id: str) -> None:
        """It is not to go round after all."""
        async with self._turn:
            self.one(officer, planned_id)
            await self._drop(planned_id)

    async def publish_now(self, officer: str, planned_id: str) -> Circular:
        """Send it round at once, in the name of this officer."""
        async with self._turn:
            planned = self.one(officer, planned_id)
            circular = await self._circulars.post(officer, planned.letter, circular_id=planned.id)
            await self._drop(planned_id)
            return circular

    async def publish_due(self) -> int:
        """Send round what is due, also what fell due while the node was down; answers how many."""
        now = self._clock.now_ms()
        if not any(item.publish_ts <= now and not item.fault for item in self._planned.values()):
            return 0
        async with self._turn:
            due = [item for item in self._planned.values() if item.publish_ts <= now and not item.fault]
            for planned in sorted(due, key=lambda item: (item.publish_ts, item.id)):
                await self._publish(planned)
            return len(due)

    async def _publish(self, planned: Planned) -> None:
        try:
            await self._circulars.post(planned.officer, planned.letter, circular_id=planned.id)
        except Refused as refusal:
            # Whoever wrote it is no officer any more, its block is gone, its deadline is over: the desk shows it.
            logger.warning("a planned circular could not be sent round: %s", refusal.code)
            await self._put(replace(planned, fault=refusal.reason, revision=planned.revision + 1))
        else:
            await self._drop(planned.id)

    def _check(self, letter: Letter, publish_ts: int) -> None:
        letter.check()
        now = self._clock.now_ms()
        if not now < publish_ts < now + _FARTHEST_MS:
            raise InvalidParam("回覧する日時は、これからの1年のあいだにしてください")
        if letter.deadline is not None and letter.deadline <= publish_ts:
            raise InvalidParam("期限は、回覧する日時よりあとにしてください")

    def _is_theirs(self, officer: str, planned: Planned) -> bool:
        try:
            self._circulars.require_right(officer, planned.letter.audience)
        except (Forbidden, NotFound):
            return False
        return True

    async def _put(self, planned: Planned) -> None:
        writes = Writes()
        store.put_planned(writes, planned)
        writes.after_commit.append(lambda: self._planned.update({planned.id: planned}))
        await asyncio.shield(self._database.submit(writes))

    async def _drop(self, planned_id: str) -> None:
        writes = Writes()
        store.drop_planned(writes, planned_id)
        writes.after_commit.append(lambda: self._forget(planned_id))
        await asyncio.shield(self._database.submit(writes))

    def _forget(self, planned_id: str) -> None:
        self._planned.pop(planned_id, None)
