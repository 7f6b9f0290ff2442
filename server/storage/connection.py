"""SQLAlchemy's engine on an asyncio driver, without ``sqlalchemy.ext.asyncio``.

That package brings the whole object-relational mapper along, which nobody here uses: 6 MB of memory and 40 ms of
every start (docs/decisions/0007). What it does for a connection is this: run the call in a greenlet, from where the
driver may wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import CursorResult, Engine, Executable
from sqlalchemy.util import greenlet_spawn

Row = Mapping[str, Any]


class Connection:
    """One connection to the database."""

    def __init__(self, sync: SyncConnection) -> None:
        self._sync = sync

    async def execute(
        self, statement: Executable, rows: Row | Sequence[Row] | None = None
    ) -> CursorResult[Any]:
        """Run one statement; the result is read whole already."""
        result: CursorResult[Any] = await greenlet_spawn(self._sync.execute, statement, rows)
        return result

    async def exec_driver_sql(self, statement: str) -> CursorResult[Any]:
        """Run the driver's own SQL."""
        result: CursorResult[Any] = await greenlet_spawn(self._sync.exec_driver_sql, statement)
        return result

    async def commit(self) -> None:
        """End the transaction that the first statement began."""
        await greenlet_spawn(self._sync.commit)

    async def rollback(self) -> None:
        """Undo the transaction that the first statement began."""
        await greenlet_spawn(self._sync.rollback)

    async def close(self) -> None:
        """Give the connection back."""
        await greenlet_spawn(self._sync.close)

    @property
    def driver(self) -> Any:
        """The driver's own connection."""
        return self._sync.connection.driver_connection


async def connect(engine: Engine) -> Connection:
    """A connection of the pool; close it to give it back."""
    return Connection(await greenlet_spawn(engine.connect))


@asynccontextmanager
async def connected(engine: Engine) -> AsyncIterator[Connection]:
    """A connection for the time of the block."""
    connection = await connect(engine)
    try:
        yield connection
    finally:
        await connection.close()


async def dispose(engine: Engine) -> None:
    """Close all connections."""
    await greenlet_spawn(engine.dispose)
