"""Bring a database to the schema of this code, or refuse with the right words.

The database keeps its schema version and the oldest code (by schema version) that may still open it, so that a
roll-back to older code refuses instead of spoiling data: that code would not find what was renamed, and would leave
tables behind that it does not know of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import text

from server.foundation.errors import Refused
from server.storage.database import Database, Transaction

_FOLDER: Final = Path(__file__).parent / "migrations"

_TYPES: Final = {
    "sqlite": {"{bytes}": "BLOB", "{int}": "INTEGER"},
    "postgresql": {"{bytes}": "BYTEA", "{int}": "BIGINT"},
}


class SchemaError(Refused):
    """The database was made by code that this code does not understand."""


def migrations() -> list[tuple[int, Path]]:
    """All steps as ``(number, file)``, in order."""
    return sorted((int(file.name[:4]), file) for file in _FOLDER.glob("*.sql"))


async def migrate(database: Database, *, until: int | None = None) -> int:
    """Run the steps that are missing, each in its own transaction; answer the schema version reached.

    ``until`` is the last step to run, for a database of an earlier release.
    """
    steps = [step for step in migrations() if until is None or step[0] <= until]
    newest = steps[-1][0]
    version = await _current_version(database, newest)
    for number, file in steps:
        if number > version:
            sql = file.read_text("utf-8")
            async with database.write() as tx:
                await _run_step(tx, number, sql, database.dialect)
    return newest


async def _current_version(database: Database, newest: int) -> int:
    async with database.write() as tx:
        await tx.execute(text("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT, oldest_compatible BIGINT)"))
        row = (await tx.execute(text("SELECT version, oldest_compatible FROM schema_version"))).first()
        if row is None:
            await tx.execute(text("INSERT INTO schema_version VALUES (0, 0)"))
            return 0
    version, oldest = int(row[0]), int(row[1])  # type: ignore[misc]
    if oldest > newest:
        raise SchemaError(
            f"This database has been opened by a newer Kairan (schema {version}, needs at least {oldest}; "
            f"this one knows {newest}). Install the newer version again, or restore a backup from before the upgrade."
        )
    return version


async def _run_step(tx: Transaction, number: int, sql: str, dialect: str) -> None:
    for statement in statements_of(sql, dialect):
        await tx.run_sql(statement)
    reached = text("UPDATE schema_version SET version = :reached, oldest_compatible = :reached")
    await tx.execute(reached, {"reached": number})


def statements_of(sql: str, dialect: str) -> list[str]:
    """The statements of a step, comments left out. A semicolon ends a statement, wherever it stands."""
    lines = [line for line in _in_dialect(sql, dialect).splitlines() if not line.lstrip().startswith("--")]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]


def _in_dialect(sql: str, dialect: str) -> str:
    for placeholder, name in _TYPES[dialect].items():
        sql = sql.replace(placeholder, name)
    return sql
