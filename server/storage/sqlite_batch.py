"""The hot path to SQLite: a whole group commit in one hop to the database's thread.

SQLAlchemy over aiosqlite costs about 0.15 ms a statement, most of it for crossing to the thread and back. A batch
needs a handful of statements, so here SQLAlchemy only compiles each statement (once), and the driver's connection
runs them all together. docs/decisions/0002 has the measurement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiosqlite
from sqlalchemy import Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ClauseElement

_Compiled = tuple[Executable, str, tuple[str, ...], Mapping[str, Any]]


class SqliteBatches:
    """Commits groups of rows on aiosqlite's own thread."""

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        assert isinstance(connection, aiosqlite.Connection)
        self._connection = connection
        self._dialect = dialect
        # Keyed by identity and holding the statement, so that an id is never reused under us.
        self._compiled: dict[int, _Compiled] = {}

    async def prepare(self) -> None:
        """Take over the transaction handling of the driver's connection."""
        await self._on_thread(self._set_autocommit)

    async def commit(self, groups: Sequence[tuple[Executable, Sequence[Mapping[str, Any]]]]) -> None:
        """Run all groups in one transaction; raises what SQLite raises, with nothing written."""
        work = [self._prepared(statement, rows) for statement, rows in groups]
        await self._on_thread(self._run, work)

    async def _on_thread(self, function: Callable[..., None], *arguments: object) -> None:
        await self._connection._execute(function, *arguments)  # type: ignore[no-untyped-call]

    def _set_autocommit(self) -> None:
        self._connection._conn.isolation_level = None

    def _prepared(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[str, list[tuple[Any, ...]]]:
        known = self._compiled.get(id(statement))
        if known is None:
            known = self._compile(statement, rows[0])
        _, sql, names, constants = known
        if constants:
            rows = [{**constants, **row} for row in rows]
        return sql, [tuple([row[name] for name in names]) for row in rows]

    def _compile(self, statement: Executable, row: Mapping[str, Any]) -> _Compiled:
        assert isinstance(statement, ClauseElement)
        compiled: Any = statement.compile(dialect=self._dialect, column_keys=list(row))
        names = tuple(compiled.positiontup or ())
        # Values that stand in the statement itself, such as ``.values(used=1)``.
        constants = {name: value for name, value in compiled.params.items() if name in names and name not in row}
        known = (statement, str(compiled), names, constants)
        self._compiled[id(statement)] = known
        return known

    def _run(self, work: Sequence[tuple[str, list[tuple[Any, ...]]]]) -> None:
        connection: sqlite3.Connection = self._connection._conn
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            for sql, rows in work:
                if len(rows) == 1:
                    cursor.execute(sql, rows[0])
                else:
                    cursor.executemany(sql, rows)
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.close()
