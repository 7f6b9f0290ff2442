"""Rows in every table of a database: those that life has left empty get some that only look like it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from server.operation.snapshot_store import tables_of

# Large, because times and positions are; text that is no ASCII; bytes that are no text.
_LARGE, _TEXT, _BYTES = 2**41, "町会 🌸 'x'", b"\x00\xff\xfe"
Rows = dict[str, list[tuple[Any, ...]]]


def fill_what_is_empty(file: Path) -> set[str]:
    """Two rows into each table that has none; answers which."""
    filled = set()
    with closing(sqlite3.connect(file)) as connection, connection:
        for table in tables_of(file):
            if connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] == 0:
                for number in range(2):
                    _insert(connection, table, number)
                filled.add(table)
    return filled


def _insert(connection: sqlite3.Connection, table: str, number: int) -> None:
    others = {row[3]: (row[2], row[4]) for row in connection.execute(f'PRAGMA foreign_key_list("{table}")')}
    values = [
        _value_of_another(connection, *others[name]) if name in others
        else _value(name, kind, number, may_be_none=not (is_needed or key))
        for _, name, kind, is_needed, _, key in connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    ]
    # Where the key refers to another row, one row is enough.
    connection.execute(f'INSERT OR IGNORE INTO "{table}" VALUES ({", ".join("?" for _ in values)})', values)


def _value_of_another(connection: sqlite3.Connection, table: str, column: str) -> Any:
    found = connection.execute(f'SELECT "{column}" FROM "{table}"').fetchone()
    if found is None:
        _insert(connection, table, 0)
        return _value_of_another(connection, table, column)
    return found[0]


def _value(name: str, kind: str, number: int, *, may_be_none: bool) -> Any:
    if may_be_none and number:
        return None
    if kind in ("INTEGER", "BIGINT"):
        return (_LARGE if name.endswith(("ts", "ms", "position", "stream")) else 7) + number
    return _BYTES + bytes([number]) if kind == "BLOB" else f"{_TEXT}{number}"


def all_rows(file: Path) -> Rows:
    """Everything, in an order that is the same for the same rows."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            table: sorted(connection.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
            for table in tables_of(file)
        }
