"""An empty database, made once for all tests of a process that begin with one: each gets a copy of the file."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from server.storage.database import Database
from server.storage.schema_version import migrate

_SQLITE: Final = "sqlite+aiosqlite:///"
_made: list[bytes] = []


async def lay_down(url: str) -> None:
    """Put one where ``url`` says, as ``migrate`` would; not on PostgreSQL, and not where there is something already."""
    place = Path(url.removeprefix(_SQLITE))
    if not url.startswith(_SQLITE) or place.exists():
        return
    if not _made:
        _made.append(await _make())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(_made[0])


@asynccontextmanager
async def empty_database(file: Path) -> AsyncIterator[Database]:
    """The database in ``file``, open; a new one is as ``migrate`` makes it."""
    url = f"{_SQLITE}{file}"
    await lay_down(url)
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _make() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        database = Database(f"{_SQLITE}{file}")
        await database.open()
        try:
            await migrate(database)
        finally:
            await database.close()
        assert not file.with_name("empty.db-wal").exists(), "not all of it is in the file"
        return file.read_bytes()
