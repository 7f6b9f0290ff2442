"""All tables from SQLite to PostgreSQL, and back: rows as they are, in one transaction, counted on both sides."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from server.foundation.errors import Refused
from server.operation.snapshot_store import plain_words, tables_of

_BATCH: Final = 5_000
# With rows of their own in a fresh database.
_SEEDED: Final = frozenset({"schema_version", "position_reservation"})


async def fill_postgresql(source: Path, url: str) -> dict[str, int]:
    """Copy the SQLite file ``source`` into the database at ``url``, which has the same schema and no rows; answers how
    many rows each table has got. Raises ``Refused``, with nothing written.
    """
    tables = tables_of(source)
    with plain_words(source), closing(sqlite3.connect(source)) as reading:
        async with _postgresql(url) as writing, writing.transaction():
            await _require_empty(writing, tables)
            for table in tables:
                await _copy_in(reading, writing, table)
            return {table: int(await writing.fetchval(f'SELECT count(*) FROM "{table}"')) for table in tables}  # noqa: S608


async def take_from_postgresql(url: str, target: Path) -> None:
    """Copy one moment of the database at ``url`` into the SQLite file ``target``, which has the same schema."""
    with plain_words(target), closing(sqlite3.connect(target)) as writing, writing:
        async with _postgresql(url) as reading, reading.transaction(isolation="repeatable_read", readonly=True):
            for table in tables_of(target):
                await _copy_out(reading, writing, table)


class Looked(NamedTuple):
    """How many rows there are, and the ids of all files whose content is there."""

    rows: int
    media_ids: list[str]


async def look_through(url: str) -> Looked:
    """Read every row of a PostgreSQL database: a page that is damaged is noticed where PostgreSQL keeps checksums.
    Raises ``Refused`` where it cannot be reached or read.
    """
    async with _postgresql(url) as reading:
        names = await reading.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        rows = 0
        for (name,) in names:
            rows += int(await reading.fetchval(f'SELECT count(every) FROM "{name}" AS every'))  # noqa: S608
        found = await reading.fetch("SELECT media_id FROM media WHERE size IS NOT NULL")
        return Looked(rows, [row[0] for row in found])


async def schema_at(url: str) -> int:
    """The schema version of a PostgreSQL database."""
    async with _postgresql(url) as reading:
        return int(await reading.fetchval("SELECT version FROM schema_version"))


@asynccontextmanager
async def _postgresql(url: str) -> AsyncIterator[Any]:
    """A connection of the driver's own: it copies a hundred times faster than statements would."""
    driver = importlib.import_module("asyncpg")
    try:
        connection = await driver.connect(url.replace("+asyncpg", "", 1))
    except (OSError, driver.PostgresError) as fault:
        raise Refused(f"The PostgreSQL database cannot be reached: {type(fault).__name__}.") from None
    try:
        yield connection
    except driver.PostgresError as fault:
        # Its message may quote what was to be written.
        raise Refused(f"PostgreSQL refuses: {type(fault).__name__} (table {fault.table_name}).") from None
    finally:
        await connection.close()


async def _require_empty(connection: Any, tables: Sequence[str]) -> None:
    for table in tables:
        if table not in _SEEDED and await connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{table}")'):  # noqa: S608
            raise Refused("The PostgreSQL database is not empty; nothing was changed. Make a new one.")


async def _copy_in(reading: sqlite3.Connection, writing: Any, table: str) -> None:
    cursor = reading.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own names
    columns = [column[0] for column in cursor.description]
    await writing.execute(f'DELETE FROM "{table}"')  # noqa: S608
    await writing.copy_records_to_table(table, records=_records(cursor, table), columns=columns)


def _records(cursor: sqlite3.Cursor, table: str) -> Iterator[tuple[Any, ...]]:
    for row in cursor:
        if any(isinstance(value, str) and "\0" in value for value in row):
            raise Refused(f"A row of {table} holds a NUL character, which PostgreSQL cannot keep.")
        yield row


async def _copy_out(reading: Any, writing: sqlite3.Connection, table: str) -> None:
    columns = [row[1] for row in writing.execute(f'PRAGMA table_info("{table}")')]
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" for _ in columns)
    writing.execute(f'DELETE FROM "{table}"')  # noqa: S608
    cursor = await reading.cursor(f'SELECT {names} FROM "{table}"')  # noqa: S608
    while rows := await cursor.fetch(_BATCH):
        writing.executemany(f'INSERT INTO "{table}" VALUES ({marks})', [tuple(row) for row in rows])  # noqa: S608
