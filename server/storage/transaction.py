"""What is written: decided rows, or a transaction of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import CursorResult, Executable, UpdateBase

from server.foundation.tasks import to_the_end
from server.storage.connection import Connection, Row

AfterCommit = Callable[[], None]

_WRITTEN: Final = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(\w+)", re.IGNORECASE)


class Stale(Exception):
    """What these rows were decided upon was itself never written. Decide again."""


class Writes:
    """Rows that belong together: all of them are committed, or none.

    ``holds`` is asked just before they are written: whether what they were decided upon still stands. Where it does
    not (an earlier write of the same room has failed), they fail with ``Stale``.
    """

    __slots__ = ("after_commit", "holds", "on_failure", "rows")

    def __init__(self) -> None:
        self.holds: list[Callable[[], bool]] = []
        self.rows: list[tuple[Executable, Row]] = []
        self.after_commit: list[AfterCommit] = []
        self.on_failure: list[AfterCommit] = []

    def add(self, statement: Executable, row: Row) -> None:
        """Run ``statement`` with ``row`` at commit. Use module-level statements: equal ones are run together."""
        self.rows.append((statement, row))


class Transaction:
    """The writer's connection, lent for one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.after_commit: list[AfterCommit] = []
        self.on_failure: list[AfterCommit] = []

    async def execute(
        self, statement: Executable, rows: Row | Sequence[Row] | None = None
    ) -> CursorResult[Any]:
        """Run one statement now; ``rows`` may be one mapping or many."""
        return await to_the_end(self._connection.execute(statement, rows))

    async def run_sql(self, sql: str) -> None:
        """Run one statement of the driver's own SQL, as migrations have it."""
        await to_the_end(self._connection.exec_driver_sql(sql))

    async def apply(self, writes: Writes) -> None:
        """Run decided rows inside this transaction; raises ``Stale``."""
        self.after_commit += writes.after_commit
        self.on_failure += writes.on_failure
        if not all(holds() for holds in writes.holds):
            raise Stale
        for statement, rows in grouped(writes.rows):
            await self.execute(statement, rows)


def grouped(rows: Sequence[tuple[Executable, Row]]) -> list[tuple[Executable, list[Row]]]:
    """``rows`` gathered by statement, so that each table is written in the order in which the rows came.

    A row joins the earlier ones of its statement unless another statement has written the same table since.
    """
    groups: list[tuple[Executable, list[Row]]] = []
    places: dict[int, tuple[int, str]] = {}
    last_of_table: dict[str, int] = {}
    for statement, row in rows:
        place = places.get(id(statement))
        if place is not None and last_of_table[place[1]] == place[0]:
            groups[place[0]][1].append(row)
            continue
        table = _table_of(statement)
        last_of_table[table] = len(groups)
        places[id(statement)] = (len(groups), table)
        groups.append((statement, [row]))
    return groups


@lru_cache(maxsize=1_000)
def _table_of(statement: Executable) -> str:
    """The table that a statement writes."""
    if isinstance(statement, UpdateBase):
        return str(statement.table)
    found = _WRITTEN.match(str(statement))
    return found[1] if found is not None else ""
