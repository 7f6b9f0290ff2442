"""Tells one application service what concerns it, in order, each transaction until it has arrived.

A transaction that may have arrived is noted with its id before it is sent, so that after a crash the same is told
again under the same id, and the service can know that it has it. A service that does not answer is asked again after
1, 2, 4 … seconds, at most five minutes apart; nobody waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from server.application_services.client import ServiceClient
from server.application_services.encryption import Encryption
from server.application_services.interest import Interest
from server.application_services.progress_store import Progress, set_progress
from server.application_services.service import Service
from server.application_services.transaction import Transaction
from server.application_services.writer import TransactionWriter
from server.foundation.clock import Clock, Timer
from server.foundation.ids import random_token
from server.foundation.outgoing import Unreachable
from server.storage.database import Database, Writes
from server.storage.streams import StreamPositions

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 300.0
_TIMEOUT_S: Final = 60.0
_GATHERED_S: Final = 0.1
# A service that is there but refuses is not asked more often than this, however much it asks itself.
_NOT_BEFORE_S: Final = 2.0
# A stretch without anything for the service is noted when it is so long that reading it again would take a while.
_LONG_STRETCH: Final = 5_000


class Memory:
    """How far a service has been told, on disk."""

    def __init__(self, database: Database, positions: StreamPositions, service_id: str, progress: Progress) -> None:
        self._database = database
        self._positions = positions
        self._service_id = service_id
        self._stored = progress.position
        self.progress = progress

    @property
    def newest(self) -> int:
        """The last position that is committed."""
        return self._positions.current

    async def begin(self, txn: str, until: int) -> None:
        """A transaction goes out."""
        self.progress = self.progress._replace(txn=txn, until=until)
        await asyncio.shield(self._store())

    def end(self, position: int) -> None:
        """Everything up to ``position`` was told. Written behind: lost in a crash, it is only told again."""
        was_sent = bool(self.progress.txn)
        self.progress = Progress(position)
        if was_sent or position - self._stored > _LONG_STRETCH:
            self._store()

    def _store(self) -> asyncio.Future[None]:
        writes = Writes()
        set_progress(writes, self._service_id, self.progress)
        self._stored = self.progress.position
        return self._database.submit(writes)


@dataclass(slots=True)
class Health:
    """When a service last took what it was told, and since when it has not; ``None``: never, or not now."""

    done_ms: int | None = None
    failing_since_ms: int | None = None

    def note(self, *, went_well: bool, now_ms: int) -> None:
        """It was told something."""
        if went_well:
            self.done_ms, self.failing_since_ms = now_ms, None
        elif self.failing_since_ms is None:
            self.failing_since_ms = now_ms


class Courier:
    """Delivers to one service."""

    def __init__(
        self, service: Service, memory: Memory, writer: TransactionWriter, interest: Interest, encryption: Encryption,
        client: ServiceClient, clock: Clock,
    ) -> None:
        self.service = service
        self.health = Health()
        self._memory = memory
        self._writer = writer
        self._interest = interest
        self._encryption = encryption
        self._client = client
        self._clock = clock
        self._news = asyncio.Event()
        self._again = asyncio.Event()
        self._timer: Timer | None = None
        self._tried = 0.0

    def wake(self) -> None:
        """There may be something to tell."""
        self._news.set()

    def wake_soon(self) -> None:
        """There is something that passes; it waits a little for more of it."""
        if self._timer is None:
            self._timer = self._clock.call_later(_GATHERED_S, self._gathered)

    def seen(self) -> None:
        """The service lives: do not wait any longer for the next attempt, unless the last one was just now."""
        if self._clock.monotonic() - self._tried > _NOT_BEFORE_S:
            self._again.set()

    async def run(self) -> None:
        """Deliver for ever."""
        pause = _FIRST_PAUSE_S
        while True:
            self._news.clear()
            try:
                await self._deliver_next()
                pause = _FIRST_PAUSE_S
            except Exception:
                logger.exception("telling %s failed", self.service.id)
                await self._wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _deliver_next(self) -> None:
        progress = self._memory.progress
        if progress.txn:
            transaction = await self._writer.write(progress.position, progress.until, most=2**31)
            await self._deliver(transaction, progress.txn)
            return
        transaction = await self._writer.write(progress.position, self._memory.newest)
        if not transaction.is_empty:
            txn = random_token()
            if transaction.until > transaction.after:
                await self._memory.begin(txn, transaction.until)
            await self._deliver(transaction, txn)
            return
        self._memory.end(transaction.until)
        if transaction.until >= self._memory.newest:
            await self._news.wait()

    async def _deliver(self, transaction: Transaction, txn: str) -> None:
        body = transaction.body()
        pause = _FIRST_PAUSE_S
        while not await self._send(txn, body):
            await self._wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        self._encryption.acknowledge(transaction.devices, transaction.until)
        self._memory.end(transaction.until)
        self._interest.told(transaction.until)

    def _gathered(self) -> None:
        self._timer = None
        self.wake()

    async def _send(self, txn: str, body: bytes) -> bool:
        is_told = await self._put(txn, body)
        self.health.note(went_well=is_told, now_ms=self._clock.now_ms())
        return is_told

    async def _put(self, txn: str, body: bytes) -> bool:
        self._tried = self._clock.monotonic()
        try:
            answer = await self._client.ask("PUT", ("transactions", txn), body=body, timeout_s=_TIMEOUT_S)
        except Unreachable as fault:
            logger.info("the application service %s cannot be reached: %s", self.service.id, fault)
            return False
        if answer.status != 200:
            logger.warning("the application service %s answers %d", self.service.id, answer.status)
        return answer.status == 200

    async def _wait(self, seconds: float) -> None:
        self._again.clear()
        timer = self._clock.call_later(seconds, self._again.set)
        try:
            await self._again.wait()
        finally:
            timer.cancel()
