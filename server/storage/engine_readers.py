"""Reading over the engine's own connections, as PostgreSQL is read; ``sqlite_readers.py`` is its fellow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, Executable

from server.storage.connection import connected
from server.storage.prepared import Prepared


class EngineReaders:
    """Each question takes a connection of the pool for its time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def fetch(self, statement: Executable, parameters: Mapping[str, Any] | None, *, first: bool) -> Sequence[Any]:
        """All rows of a statement, or (``first``) the first one at most."""
        async with connected(self._engine) as connection:
            result = await connection.execute(statement, parameters)
            return result.fetchmany(1) if first else result.fetchall()

    async def fetch_prepared(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """All rows of a statement that is asked again and again."""
        return await self.fetch(prepared.statement, parameters, first=False)

    async def fetch_each(self, statement: Executable, parameters: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
        """All rows of a statement for each of ``parameters``, on one connection."""
        async with connected(self._engine) as connection:
            return [(await connection.execute(statement, one)).fetchall() for one in parameters]

    def close(self) -> None:
        """The engine is closed by its owner."""
