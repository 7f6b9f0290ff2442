"""``kairan database move``: a node's database from SQLite to PostgreSQL; and snapshots of a PostgreSQL database.

The schema of the new database is brought exactly to that of the old one before the rows follow, and all counts are
compared. The SQLite file stays as it is.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from server.config import Settings
from server.config.values import POSTGRESQL, SQLITE
from server.foundation.errors import Refused
from server.foundation.folder_lock import folder_lock
from server.operation.move_store import fill_postgresql, schema_at, take_from_postgresql
from server.operation.snapshot_store import counts_of, differences, schema_of
from server.storage.database import Database
from server.storage.schema_version import migrate


def move_database(settings: Settings, url: str) -> dict[str, int]:
    """Copy the node's SQLite database to the empty PostgreSQL database at ``url``; answers the rows of each table.

    Only while the node is stopped. Raises ``Refused``; the old database is what it was in any case.
    """
    source = settings.database.file
    if source is None:
        raise Refused("This node's database is not SQLite; there is nothing to move.")
    _require_address(url)
    if not source.is_file():
        raise Refused(f"There is no database {source}.")
    with folder_lock(settings.data_dir):
        return asyncio.run(_move(source, url))


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_whole = url.startswith(POSTGRESQL) and parts.port != 0 and parts.path.strip("/") != ""
    except ValueError:  # of a port that is no number
        is_whole = False
    if not is_whole:
        raise Refused(f"Say where to, as {POSTGRESQL}user:password@host/name")


async def _move(source: Path, url: str) -> dict[str, int]:
    await _prepare(url, schema_of(source))
    counts = await fill_postgresql(source, url)
    if different := differences(counts_of(source), counts):
        raise Refused("The copy is not whole: " + "; ".join(different[:3]))
    return counts


def snapshot_postgresql(url: str, target: Path) -> None:
    """One moment of a PostgreSQL database as the new SQLite file ``target``."""
    asyncio.run(_take(url, target))


async def _take(url: str, target: Path) -> None:
    await _prepare(SQLITE + str(target), await schema_at(url))
    await take_from_postgresql(url, target)


async def _open(database: Database) -> None:
    try:
        await database.open()
    except Refused:
        raise
    except Exception as fault:
        # The message of a driver may quote the address, and with it the password.
        raise Refused(f"The new database cannot be reached: {type(fault).__name__}.") from None


async def _prepare(url: str, schema: int) -> None:
    try:
        database = Database(url)
    except ModuleNotFoundError as missing:
        raise Refused(f"A library is missing ({missing.name}): pip install 'kairan[postgres]'") from None
    try:
        await _open(database)
        await migrate(database, until=schema)
    finally:
        await database.close()
