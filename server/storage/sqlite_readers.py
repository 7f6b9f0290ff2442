"""Reading from SQLite: a statement in one hop to a thread.

Over an asyncio driver a ``SELECT`` crosses to the driver's thread four times and costs three times as much. A few
threads with a connection each read side by side, also while the writer writes (WAL). docs/decisions/0002.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Executable

from server.storage.engines import reading_engine
from server.storage.prepared import Prepared


class SqliteReaders:
    """Threads that read. What they see is what was committed when they began."""

    def __init__(self, url: str, count: int) -> None:
        self._engine = reading_engine(url, count)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")

    async def fetch(self, statement: Executable, parameters: Mapping[str, Any] | None, *, first: bool) -> Sequence[Any]:
        """All rows of a statement, or (``first``) the first one at most."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._fetch, statement, parameters, first)

    async def fetch_prepared(self, prepared: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        """All rows of a statement that is asked again and again, as the driver's own SQL."""
        sql, values = prepared.for_sqlite(parameters)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, sql, values)

    async def fetch_each(self, statement: Executable, parameters: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
        """All rows of a statement for each of ``parameters``, in one hop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._fetch_each, statement, parameters)

    def close(self) -> None:
        """Wait for what is being read, then close."""
        self._threads.shutdown(wait=True)
        self._engine.dispose()

    def _fetch(self, statement: Executable, parameters: Mapping[str, Any] | None, first: bool) -> Sequence[Any]:
        with self._engine.connect() as connection:
            result = connection.execute(statement, parameters)
            if not first:
                return result.fetchall()
            row = result.first()
            return [] if row is None else [row]

    def _run(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            found: list[Any] = cursor.execute(sql, values).fetchall()
            return found
        finally:
            connection.close()

    def _fetch_each(self, statement: Executable, parameters: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
        with self._engine.connect() as connection:
            return [connection.execute(statement, one).fetchall() for one in parameters]
