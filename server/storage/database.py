"""One writer, group commit, callbacks after the commit (DESIGN sections 2 and 3).

There are two ways to write.

* ``submit(writes)``: rows that are already decided. All that wait are written in one transaction, each statement
  once with all its rows; on SQLite in a single hop to the database's thread. This is the way of room events.
* ``async with write() as tx``: statement by statement, with reading in between, alone in its transaction.

Both run in the order in which they were asked for, and neither is answered before its commit is on disk
(``synchronous=FULL``).

On PostgreSQL one process is active: its writing connection holds an advisory lock as long as it lives, and every
transaction begins by proving it. Another process waits for the lock and takes over when the first one dies; one that
has lost it, with its connection, cannot write any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Executable, MetaData

from server.foundation.tasks import to_the_end
from server.storage import sqlite_log
from server.storage.active import is_active
from server.storage.connection import Connection, Row, connect, dispose
from server.storage.engine_readers import EngineReaders
from server.storage.engines import writing_engine
from server.storage.faults import Conflict, StorageBusy, meaning, plain
from server.storage.prepared import Prepared
from server.storage.sqlite_batch import SqliteBatches
from server.storage.sqlite_readers import SqliteReaders
from server.storage.transaction import AfterCommit, Stale, Transaction, Writes, grouped

__all__ = ["AfterCommit", "Conflict", "Database", "Row", "Stale", "Transaction", "Writes", "metadata"]

logger = logging.getLogger(__name__)

metadata: Final = MetaData()

_MAX_BATCH: Final = 500

_Submitted = tuple[Writes, asyncio.Future[None]]


class _Turn:
    """A caller of ``write()`` that waits for the writer."""

    __slots__ = ("done", "granted")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.granted: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()


class Database:
    """The node's database, by URL: ``sqlite+aiosqlite:///path`` or ``postgresql+asyncpg://…``."""

    def __init__(self, url: str, *, readers: int = 3) -> None:
        self._is_sqlite = url.startswith("sqlite")
        self._engine = writing_engine(url, readers)
        self._readers: SqliteReaders | EngineReaders = (
            SqliteReaders(url, readers) if self._is_sqlite else EngineReaders(self._engine)
        )
        self._waiting: deque[_Submitted | _Turn] = deque()
        self._wake = asyncio.Event()
        self._writer: Connection | None = None
        self._batches: SqliteBatches | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        # Told how long each transaction took, where somebody wants to know (``server.operation.metrics``).
        self.when_committed: Callable[[float], None] | None = None
        # Called when another process has become the active one.
        self.when_displaced: Callable[[], None] | None = None

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""
        return len(self._waiting)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    async def open(self, while_waiting: Callable[[], Awaitable[None]] | None = None) -> None:
        """Connect and start the writer. Where another process is active on PostgreSQL, wait until it is not, and call
        ``while_waiting`` every few seconds; without that, raise ``StorageBusy`` after the first.
        """
        self._writer = await connect(self._engine)
        while not self._is_sqlite and not await is_active(self._writer):
            if while_waiting is None:
                raise StorageBusy("Another process works on this database already.")
            await while_waiting()
        if self._is_sqlite:
            self._batches = SqliteBatches(self._writer.driver, self._engine.dialect)
            await self._batches.prepare()
        self._task = asyncio.get_running_loop().create_task(self._write_forever(), name="database writer")

    async def close(self) -> None:
        """Write what waits, then close. Call once."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._writer is not None:
            await self._writer.close()
        self._readers.close()
        await dispose(self._engine)

    async def fetch_all(self, statement: Executable, parameters: Row | None = None) -> Sequence[Any]:
        """All rows of one reading statement, as committed."""
        return await self._readers.fetch(statement, parameters, first=False)

    async def fetch_one(self, statement: Executable, parameters: Row | None = None) -> Any | None:
        """The first row of one reading statement, or ``None``."""
        for row in await self._readers.fetch(statement, parameters, first=True):
            return row
        return None

    async def fetch_prepared(self, prepared: Prepared, parameters: Row) -> Sequence[Any]:
        """All rows of a statement that is asked again and again, as tuples."""
        return await self._readers.fetch_prepared(prepared, parameters)

    async def fetch_each(self, statement: Executable, parameters: Sequence[Row]) -> list[Sequence[Any]]:
        """All rows of one reading statement for each of ``parameters``: what many ask for in the same moment."""
        return await self._readers.fetch_each(statement, parameters)

    def submit(self, writes: Writes) -> asyncio.Future[None]:
        """Queue decided rows; the future is done when they are durable, after the ``after_commit`` callbacks."""
        if self._closing:
            raise RuntimeError("the database is closing")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((writes, future))
        self._wake.set()
        return future

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A transaction of one's own. It is durable when the block has been left; an exception rolls it back."""
        async with self._turn() as writer:
            tx = Transaction(writer)
            try:
                await to_the_end(self._begin())
                yield tx
            except BaseException as fault:
                await to_the_end(self._roll_back(tx.on_failure))
                raise plain(fault) from None
            await to_the_end(self._commit(tx))

    async def empty_log(self) -> bool:
        """Take the rows of before off the disk: SQLite's log keeps what was deleted or overwritten until it is written
        over. ``False`` where somebody reads just now; a later attempt does it. PostgreSQL tidies up by itself.
        """
        if not self._is_sqlite:
            return True
        async with self._turn() as writer:
            return await to_the_end(sqlite_log.empty(writer))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Connection]:
        """The writer's connection, when all that was asked for before is written."""
        if self._closing:
            raise RuntimeError("the database is closing")
        turn = _Turn(asyncio.get_running_loop())
        self._waiting.append(turn)
        self._wake.set()
        try:
            await turn.granted
            assert self._writer is not None
            yield self._writer
        finally:
            if not turn.done.done():
                turn.done.set_result(None)

    async def _write_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while not (self._closing and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            start = loop.time()
            first = self._waiting.popleft()
            if isinstance(first, _Turn):
                await self._give_turn(first)
            else:
                await self._write_batch(self._take_batch(first))
            if self.when_committed is not None:
                self.when_committed(loop.time() - start)

    async def _give_turn(self, turn: _Turn) -> None:
        if turn.done.done():
            return  # its caller was cancelled while it waited
        if not turn.granted.done():
            turn.granted.set_result(None)
            await turn.done

    def _take_batch(self, first: _Submitted) -> list[_Submitted]:
        batch = [first]
        while self._waiting and len(batch) < _MAX_BATCH and not isinstance(self._waiting[0], _Turn):
            batch.append(self._waiting.popleft())  # type: ignore[arg-type]
        return batch

    async def _write_batch(self, batch: list[_Submitted]) -> None:
        """Commit all; if that fails, each alone, so that only the guilty one is refused."""
        try:
            if not all(holds() for writes, _ in batch for holds in writes.holds):
                raise Stale
            rows = batch[0][0].rows if len(batch) == 1 else [row for writes, _ in batch for row in writes.rows]
            await self._commit_rows(rows)
        except Exception as fault:
            if len(batch) == 1:
                self._fail(batch[0], meaning(fault))
                return
            for item in batch:
                await self._write_batch([item])
            return
        for writes, future in batch:
            _run_all(writes.after_commit)
            if not future.done():
                future.set_result(None)

    def _fail(self, item: _Submitted, fault: Exception) -> None:
        writes, future = item
        if not isinstance(fault, Stale | Conflict):
            # The driver's message may quote what was to be written.
            logger.error("a write failed: %s", type(fault).__name__)
        _run_all(writes.on_failure)
        if not future.done():
            future.set_exception(fault)

    async def _commit_rows(self, rows: Sequence[tuple[Executable, Row]]) -> None:
        if self._batches is not None:
            await self._batches.commit(grouped(rows))
            return
        assert self._writer is not None
        try:
            await self._begin()
            for statement, group in grouped(rows):
                await self._writer.execute(statement, group)
            await self._writer.commit()
        except BaseException:
            await self._undo()
            raise

    async def _begin(self) -> None:
        assert self._writer is not None
        if self._is_sqlite:
            await self._writer.exec_driver_sql("BEGIN IMMEDIATE")
        elif not await is_active(self._writer):
            if self.when_displaced is not None:
                self.when_displaced()
            raise StorageBusy("Another process works on this database now.")

    async def prove_active(self) -> None:
        """An empty transaction: whoever was displaced learns it here, also when nobody wants to write."""
        async with self.write():
            pass

    async def _roll_back(self, on_failure: Sequence[AfterCommit]) -> None:
        await self._undo()
        _run_all(on_failure)

    async def _undo(self) -> None:
        """End the transaction, if there is one still: a database that fails may have ended it by itself."""
        assert self._writer is not None
        try:
            if self._is_sqlite:
                await self._writer.exec_driver_sql("ROLLBACK")
            else:
                await self._writer.rollback()
        except Exception as fault:
            logger.info("nothing was rolled back: %s", type(fault).__name__)

    async def _commit(self, tx: Transaction) -> None:
        """Commit and tell, as one: whoever is cancelled meanwhile has written all the same."""
        assert self._writer is not None
        try:
            if self._is_sqlite:
                await self._writer.exec_driver_sql("COMMIT")
            else:
                await self._writer.commit()
        except BaseException as fault:
            await self._roll_back(tx.on_failure)
            raise plain(fault) from None
        _run_all(tx.after_commit)


def _run_all(callbacks: Sequence[AfterCommit]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            # The commit stands; one deaf listener must not take the others' news away.
            logger.exception("a callback after the commit failed")
