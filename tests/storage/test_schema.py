"""Migrations: fresh, refused, resumed; and that the stores describe the tables that the migrations make."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Integer, LargeBinary, Text, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.util import greenlet_spawn

import federation
import server
from server.storage import schema_version
from server.storage.connection import connected
from server.storage.database import Database, metadata
from server.storage.position_store import open_positions, reserve_more
from server.storage.schema_version import SchemaError, migrate, migrations

KINDS = {"INTEGER": "integer", "BIGINT": "integer", "TEXT": "text", "BLOB": "bytes", "BYTEA": "bytes"}


def load_all_stores() -> None:
    for package in (server, federation):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("store"):
                importlib.import_module(found.name)


async def test_migrating_twice_is_no_more_than_once(database: Database) -> None:
    newest = migrations()[-1][0]
    assert await migrate(database) == newest
    row = await database.fetch_one(text("SELECT version FROM schema_version"))
    assert row is not None
    assert row[0] == newest


async def test_a_newer_database_is_refused_with_words_for_people(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(text("UPDATE schema_version SET version = 9999, oldest_compatible = 9998"))
    with pytest.raises(SchemaError, match="newer Kairan"):
        await migrate(database)
    async with database.write() as tx:
        await tx.execute(text("UPDATE schema_version SET version = 9999, oldest_compatible = 1"))
    await migrate(database)


async def test_code_of_before_an_upgrade_does_not_touch_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(database)
    before = migrations()[:-1]
    monkeypatch.setattr(schema_version, "migrations", lambda: before)
    with pytest.raises(SchemaError, match="restore a backup from before the upgrade"):
        await migrate(database)


@pytest.mark.parametrize("broken_at", [1, 2, 4])
async def test_a_migration_that_was_cut_off_is_resumed(
    database_url: str, broken_at: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = migrations()
    number, good = steps[broken_at - 1]
    cut_off = tmp_path / good.name
    cut_off.write_text(f"{good.read_text('utf-8')};\nCREATE TABLE nonsense (;", "utf-8")
    broken = (number, cut_off)
    monkeypatch.setattr(
        schema_version, "migrations", lambda: [*steps[:broken_at - 1], broken, *steps[broken_at:]]
    )
    database = Database(database_url)
    await database.open()
    try:
        with pytest.raises(Exception, match="CREATE TABLE nonsense"):
            await migrate(database)
    finally:
        await database.close()
    monkeypatch.undo()
    database = Database(database_url)
    await database.open()
    assert await migrate(database) == steps[-1][0]
    await open_positions(database)
    await database.close()


def described(connection: Connection) -> dict[str, Any]:
    found: dict[str, Any] = {}
    looking = inspect(connection)
    for table in looking.get_table_names():
        columns = {
            column["name"]: (KINDS[str(column["type"]).split("(")[0]], bool(column["nullable"]))
            for column in looking.get_columns(table)
        }
        keys = looking.get_pk_constraint(table)["constrained_columns"]
        found[table] = columns, set(keys)
    return found


def declared() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for table in metadata.sorted_tables:
        columns = {}
        for column in table.columns:
            kind = (
                "integer" if isinstance(column.type, BigInteger | Integer)
                else "bytes" if isinstance(column.type, LargeBinary) else "text" if isinstance(column.type, Text)
                else str(column.type)
            )
            columns[column.name] = kind, bool(column.nullable)
        found[table.name] = columns, {column.name for column in table.primary_key.columns}
    return found


async def test_the_stores_describe_the_tables_that_are_there(database: Database) -> None:
    load_all_stores()
    async with connected(database._engine) as connection:
        actual = await greenlet_spawn(described, connection._sync)
    for name, (columns, keys) in declared().items():
        assert name in actual, f"{name} is declared and not made"
        real_columns, real_keys = actual[name]
        assert {key: value[0] for key, value in columns.items()} == {
            key: value[0] for key, value in real_columns.items()
        }, name
        assert keys == real_keys, name
        # A primary key of SQLite's may be null in its description; the declaration counts.
        wrong = {key for key in columns if key not in keys and columns[key][1] != real_columns[key][1]}
        assert not wrong, f"{name}: {wrong}"


async def test_positions_go_on_behind_all_that_was_ever_given_out(database: Database) -> None:
    first = await open_positions(database)
    used = [first.allocate() for _ in range(3)]
    second = await open_positions(database)
    assert second.allocate() > max(used)
    second._last = second.reserved - 10
    await reserve_more(database, second)
    taken = [second.allocate() for _ in range(20)]
    third = await open_positions(database)
    assert third.allocate() > max(taken)


async def test_positions_that_are_not_reserved_are_not_given_out(database: Database, tmp_path: Path) -> None:
    positions = await open_positions(database)
    positions._last = positions.reserved
    with pytest.raises(RuntimeError):
        positions.allocate()
