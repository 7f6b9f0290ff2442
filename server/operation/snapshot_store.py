"""The whole database as one SQLite file, taken while the node goes on; counting and checking such a file.

``VACUUM INTO`` reads one moment of the database (SQLite's write-ahead log keeps it still for the reader) and writes
a file without what was deleted. A PostgreSQL database is copied in one transaction that sees one moment, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from server.foundation.errors import Refused

_BUSY_S: Final = 30.0
_MOST_FAULTS: Final = 20
_NO_DATABASE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Damaged(Refused):
    """The database file is damaged: what is in it cannot be trusted."""


@contextmanager
def plain_words(file: Path) -> Iterator[None]:
    """What SQLite says of a damaged or full disk, in words that help."""
    try:
        yield
    except sqlite3.DatabaseError as fault:
        if _code_of(fault) in _NO_DATABASE:
            raise Damaged(f"The database {file} is damaged ({fault}); put the last backup back.") from None
        raise Refused(f"The database {file} cannot be read: {fault}") from fault


def _code_of(fault: sqlite3.DatabaseError) -> int:
    """Extended codes carry the plain one in their low byte."""
    return (getattr(fault, "sqlite_errorcode", None) or 0) & 0xFF


def take_snapshot(source: Path, target: Path) -> None:
    """Write the SQLite database ``source``, as it is at one moment, to the new file ``target``."""
    if not source.is_file():
        raise Refused(f"There is no database {source}.")
    with plain_words(source), closing(sqlite3.connect(source, timeout=_BUSY_S, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def faults_of(file: Path, *, thorough: bool = True) -> list[str]:
    """What SQLite finds wrong with a database: broken pages, indexes that disagree, rows that refer to nothing."""
    check = "integrity_check" if thorough else "quick_check"
    try:
        with closing(_reading(file)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}({_MOST_FAULTS})")]
            strays = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
    except sqlite3.DatabaseError as fault:
        if _code_of(fault) in _NO_DATABASE:
            return [str(fault)]
        raise Refused(f"The database {file} cannot be read: {fault}") from None
    return [fault for fault in found if fault != "ok"] + [f"a row of {row[0]} refers to nothing" for row in strays]


def tables_of(file: Path) -> list[str]:
    """All tables, by name."""
    with closing(_reading(file)) as connection:
        return _tables(connection)


def counts_of(file: Path) -> dict[str, int]:
    """How many rows each table has."""
    with plain_words(file), closing(_reading(file)) as connection:
        return {
            table: int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - our own names
            for table in _tables(connection)
        }


def schema_of(file: Path) -> int:
    """The schema version of a database file."""
    with plain_words(file), closing(_reading(file)) as connection:
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        return 0 if row is None else int(row[0])


def media_ids(file: Path) -> Iterator[str]:
    """The ids of all files whose content is there."""
    with plain_words(file), closing(_reading(file)) as connection:
        for (media_id,) in connection.execute("SELECT media_id FROM media WHERE size IS NOT NULL ORDER BY media_id"):
            yield str(media_id)


def media_bytes(file: Path) -> int:
    """How much all of them are."""
    with plain_words(file), closing(_reading(file)) as connection:
        return int(connection.execute("SELECT coalesce(sum(size), 0) FROM media").fetchone()[0])


def differences(before: dict[str, int], after: dict[str, int], but: Sequence[str] = ()) -> list[str]:
    """Tables whose numbers of rows differ, as sentences."""
    return [
        f"{table}: {before.get(table, 0)} rows before, {after.get(table, 0)} after"
        for table in sorted(before.keys() | after.keys())
        if table not in but and before.get(table, 0) != after.get(table, 0)
    ]


def _reading(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(str(row[0]) for row in rows)
