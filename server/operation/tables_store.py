"""Any table of an SQLite file as rows of open values, and back: for exports and imports.

A row is a JSON object by column. Text and numbers stand as they are; bytes as ``{"utf8": …}`` where they are text,
else as ``{"base64": …}``.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from server.operation.snapshot_store import plain_words

Json = dict[str, Any]


class Tables:
    """The tables of one database file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.row_factory = sqlite3.Row

    def rows(self, table: str, where: str = "1", **values: object) -> Iterator[Json]:
        """The rows of a table, all of them or those of a condition."""
        statement = f'SELECT * FROM "{table}" WHERE {where} ORDER BY 1'  # noqa: S608 - our own names
        for row in self._connection.execute(statement, values):
            yield {name: _open(row[name]) for name in row.keys()}  # noqa: SIM118 - a Row is no mapping

    def ask(self, question: str, **values: object) -> list[sqlite3.Row]:
        """The answer of a reading statement."""
        return self._connection.execute(question, values).fetchall()

    def each(self, question: str, **values: object) -> Iterator[sqlite3.Row]:
        """The same, row by row."""
        yield from self._connection.execute(question, values)

    def columns(self, table: str) -> list[str]:
        """Their names."""
        return [str(row["name"]) for row in self._connection.execute(f'PRAGMA table_info("{table}")')]

    def clear(self, tables: Iterable[str]) -> None:
        """Remove all rows: those that the schema itself begins with."""
        for table in tables:
            self._connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own names

    def fill(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Enter rows as ``rows`` gave them; answers how many. Raises ``ValueError`` for columns that are not there."""
        columns, count = self.columns(table), 0
        marks = ", ".join("?" for _ in columns)
        statement = f'INSERT INTO "{table}" VALUES ({marks})'  # noqa: S608 - our own names
        for row in rows:
            if row.keys() != set(columns):
                raise ValueError(f"a row of {table} has other columns than this version knows")
            self._connection.execute(statement, [_closed(row[name]) for name in columns])
            count += 1
        return count


@contextmanager
def reading(file: Path) -> Iterator[Tables]:
    """The tables of a file that nobody writes to."""
    with plain_words(file), closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only=ON")
        yield Tables(connection)


@contextmanager
def filling(file: Path) -> Iterator[Tables]:
    """The tables of a new file, in one transaction."""
    with plain_words(file), closing(sqlite3.connect(file)) as connection, connection:
        yield Tables(connection)


def _open(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return {"utf8": value.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _closed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return value["utf8"].encode() if "utf8" in value else base64.b64decode(value["base64"])
