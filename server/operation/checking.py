"""``kairan check``: whether the data is sound. The node may run; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.config import Settings
from server.operation.snapshot_store import counts_of, faults_of, media_ids

_SQLITE: Final = "sqlite+aiosqlite:///"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what is wrong (for an operator's eyes)."""

    rows: int
    files: int
    faults: tuple[str, ...]


def check_data(settings: Settings) -> Checked:
    """Look through the database (every page, every index, every reference) and for the content of every file."""
    if not settings.database.url.startswith(_SQLITE):
        return Checked(0, 0, ())  # PostgreSQL keeps watch over its pages itself
    database = Path(settings.database.url.removeprefix(_SQLITE))
    if not database.is_file():
        return Checked(0, 0, (f"there is no database {database}",))
    faults = faults_of(database)
    if faults:
        return Checked(0, 0, tuple(faults))
    files, missing = _look_for_files(database, settings.media_dir)
    lost = (f"{missing} of {files} uploaded files are not on the disk",) if missing else ()
    return Checked(sum(counts_of(database).values()), files, lost)


def _look_for_files(database: Path, folder: Path) -> tuple[int, int]:
    files = missing = 0
    for media_id in media_ids(database):
        files += 1
        places = (folder / "content" / media_id[:2] / media_id[2:], folder / "unsettled" / media_id)
        missing += not any(place.is_file() for place in places)
    return files, missing
