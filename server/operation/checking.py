"""``kairan check``: whether the data is sound. The node may run; nothing is changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from server.config import Settings
from server.foundation.folder_lock import not_the_owner
from server.operation.move_store import look_through
from server.operation.snapshot_store import counts_of, faults_of, media_ids


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong (for an operator's eyes)."""

    rows: int
    files: int
    faults: tuple[str, ...]


def check_data(settings: Settings) -> Checked:
    """Look through the database (every page, every index, every reference; of PostgreSQL every row) and for the content
    of every file. Raises ``Refused`` where the database cannot be looked at.
    """
    database = settings.database.file
    if database is None:
        looked = asyncio.run(look_through(settings.database.url))
        return _checked(looked.rows, looked.media_ids, settings.media_dir)
    if not database.is_file():
        return Checked(0, 0, (f"there is no database {database}",))
    if not os.access(database, os.R_OK | os.W_OK):
        raise not_the_owner(settings.data_dir)
    if faults := faults_of(database):
        return Checked(0, 0, tuple(faults))
    return _checked(sum(counts_of(database).values()), media_ids(database), settings.media_dir)


def _checked(rows: int, ids: Iterable[str], folder: Path) -> Checked:
    files = missing = 0
    for media_id in ids:
        files += 1
        places = (folder / "content" / media_id[:2] / media_id[2:], folder / "unsettled" / media_id)
        missing += not any(place.is_file() for place in places)
    lost = (f"{missing} of {files} uploaded files are not on the disk",) if missing else ()
    return Checked(rows, files, lost)
