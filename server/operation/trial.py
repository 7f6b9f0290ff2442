"""試用版 (trial) on the disk: what was there before it began, and going back to that.

``DATA/trial/before.db`` is a copy of the database of that moment; ``DATA/trial/throw-away`` says that the node is to
begin again from it. Going back happens while no node runs, step by step: after a kill in between it is done again.
What clients may have been told in the trial is not used again for other things (``after_restore_store.py``).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.durable import settle
from server.foundation.errors import Refused
from server.foundation.folder_lock import folder_lock
from server.operation.after_restore_store import Moments, renumber
from server.operation.restore import bring_up_to_date
from server.operation.rotation import backups_in
from server.operation.snapshot_store import Damaged, faults_of, media_ids, take_snapshot

_FOLDER: Final = "trial"
_BEFORE: Final = "before.db"
_MARK: Final = "throw-away"


def is_trial(settings: Settings) -> bool:
    """Whether there is something to go back to."""
    return (settings.data_dir / _FOLDER / _BEFORE).is_file()


def keep_moment(settings: Settings) -> None:
    """Keep the database as it is now. Raises ``Refused`` where that is not possible."""
    if settings.database.file is None:
        raise Refused("この機械では、試用は できません。機械を みている人に 聞いてください。")
    folder = settings.data_dir / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    part = folder / (_BEFORE + ".part")
    take_snapshot(_database(settings), part)
    if faults_of(part):
        raise Damaged("データに きずが あります。機械を みている人に 知らせてください。")
    settle(part)
    part.replace(folder / _BEFORE)
    settle(folder)


def forget_moment(settings: Settings) -> None:
    """The trial is over; there is nothing to go back to any more."""
    shutil.rmtree(settings.data_dir / _FOLDER, ignore_errors=True)


def mark_for_throwing_away(settings: Settings) -> None:
    """At its next start the node begins again from before the trial."""
    mark = settings.data_dir / _FOLDER / _MARK
    mark.write_text("")
    settle(mark)
    settle(mark.parent)


def is_marked(settings: Settings) -> bool:
    """Whether that was said."""
    return (settings.data_dir / _FOLDER / _MARK).is_file()


async def throw_away(settings: Settings, clock: Clock) -> None:
    """Go back to before the trial. No node may be running. Doing it twice is doing it once."""
    folder = settings.data_dir / _FOLDER
    before = folder / _BEFORE
    with folder_lock(settings.data_dir):
        if before.is_file():
            began_ms = round(before.stat().st_mtime * 1000)
            await _put_back(settings, before, Moments(began_ms, clock.now_ms()))
            _remove_backups(settings, began_ms)
        _remove_files(settings)
        before.unlink(missing_ok=True)
        settle(folder)
        shutil.rmtree(folder)  # the mark last: until then it is done again


async def _put_back(settings: Settings, before: Path, moments: Moments) -> None:
    fresh, database = before.with_name("again.db"), _database(settings)
    fresh.unlink(missing_ok=True)
    shutil.copyfile(before, fresh)
    await bring_up_to_date(fresh)
    renumber(fresh, moments)
    settle(fresh)
    for left in (database.with_name(database.name + "-wal"), database.with_name(database.name + "-shm")):
        left.unlink(missing_ok=True)
    fresh.replace(database)
    settle(database.parent)


def _remove_files(settings: Settings) -> None:
    """Photos and papers that came in the trial."""
    kept = set(media_ids(_database(settings)))
    content, unsettled = settings.media_dir / "content", settings.media_dir / "unsettled"
    for file in [*content.glob("*/*"), *unsettled.glob("*")]:
        name = file.name if file.parent == unsettled else file.parent.name + file.name
        if file.is_file() and name not in kept:
            file.unlink()
    shutil.rmtree(settings.media_dir / "thumbnails", ignore_errors=True)  # made again where they are asked for


def _remove_backups(settings: Settings, began_ms: int) -> None:
    """Those in our own folder that were made in the trial; what was copied elsewhere goes as it grows old there."""
    folder = settings.backup.folder
    if folder is None or not folder.is_dir():
        return
    for backup in backups_in(folder, settings.server_name):
        if backup.stat().st_mtime * 1000 >= began_ms:
            backup.unlink()


def _database(settings: Settings) -> Path:
    assert settings.database.file is not None, "a trial began only with SQLite"
    return settings.database.file
