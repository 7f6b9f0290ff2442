"""``kairan backup``: everything of a node in one file, while the node runs.

The database is a copy of one moment (``snapshot_store.py``). Files come after it: whatever a row of that moment
speaks of was on the disk before the row, so it is found, unless somebody has deleted it meanwhile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.durable import settle
from server.foundation.errors import Refused
from server.foundation.folder_lock import not_the_owner, one_at_a_time
from server.operation.archive import ArchiveWriter, archive_to
from server.operation.description import describe
from server.operation.moving import snapshot_postgresql
from server.operation.rotation import backups_among, backups_in, name_of, superfluous
from server.operation.sealing import read_key
from server.operation.snapshot_store import (
    Damaged,
    faults_of,
    media_bytes,
    media_ids,
    take_snapshot,
)

DATABASE_NAME: Final = "kairan.db"
SETTINGS_NAME: Final = "kairan.toml"
KEY_NAME: Final = "signing.key"
MEDIA_NAME: Final = "media/"
TEXTS_NAME: Final = "texts"
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_SNAPSHOT: Final = "backup.snapshot"
_PART: Final = ".part"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: where, how large, what is in it, and which old ones went."""

    path: Path
    bytes: int
    files: int
    missing_files: int
    removed: tuple[Path, ...]


def make_backup(settings: Settings, config: Path, folder: Path, clock: Clock) -> Made:
    """Write a backup into ``folder``, and remove those that are too old. Raises ``Refused`` in plain words."""
    require_own_user(settings.data_dir)
    _require_folder(folder)
    public_key = read_key("public", settings.backup.public_key) if settings.backup.public_key else None
    path = folder / name_of(settings.server_name, clock.now_ms(), is_sealed=public_key is not None)
    with snapshot_of(settings) as snapshot:
        about = describe(settings, snapshot, clock.now_ms())
        _require_room(folder, snapshot.stat().st_size + media_bytes(snapshot))
        with _written_whole(path) as part, os.fdopen(os.open(part, _NEW, 0o600), "wb") as file:
            with archive_to(file, about, public_key) as archive:
                files, missing = _fill(archive, settings, config, snapshot)
            file.flush()
            os.fsync(file.fileno())
    return Made(path, path.stat().st_size, files, missing, _rotate(settings, folder))


@contextmanager
def snapshot_of(settings: Settings) -> Iterator[Path]:
    """A checked copy of the database for the time of the block, beside the original: only the node's owner may read
    it there. One process at a time has one. Raises ``Damaged`` where something is wrong with it.
    """
    snapshot = settings.data_dir / _SNAPSHOT
    with one_at_a_time(settings.data_dir, "snapshot"):
        try:
            _remove_snapshots(settings.data_dir)  # of somebody who was killed
            _take(settings, snapshot)
            yield snapshot
        finally:
            _remove_snapshots(settings.data_dir)


def _take(settings: Settings, snapshot: Path) -> None:
    os.close(os.open(snapshot, _NEW, 0o600))  # an empty file is as good as none for what follows
    source = settings.database.file
    if source is not None:
        _require_room(settings.data_dir, source.stat().st_size if source.is_file() else 0)
        take_snapshot(source, snapshot)
    else:
        snapshot_postgresql(settings.database.url, snapshot)
    if faults := faults_of(snapshot):
        raise Damaged("The database is damaged: " + "; ".join(faults[:3]) + ". Restore an older backup.")


def _remove_snapshots(folder: Path) -> None:
    for left in folder.glob("backup*.snapshot*"):
        left.unlink(missing_ok=True)


def _fill(archive: ArchiveWriter, settings: Settings, config: Path, snapshot: Path) -> tuple[int, int]:
    """Settings, key, database, texts, files; answers how many files there are and how many were gone."""
    if not archive.add_file(KEY_NAME, settings.signing_key_file):
        raise Refused(f"There is no signing key {settings.signing_key_file}; without it a backup is worth little.")
    for name, file in ((SETTINGS_NAME, config), (DATABASE_NAME, snapshot)):
        if not archive.add_file(name, file):
            raise Refused(f"{file} is gone; no backup was made.")
    for text in sorted(settings.consent.folder.iterdir()) if settings.consent.folder else ():
        if text.is_file():
            archive.add_file(f"{TEXTS_NAME}/{text.name}", text)
    found = missing = 0
    for media_id in media_ids(snapshot):
        if _add_media(archive, settings.media_dir, media_id):
            found += 1
        else:
            missing += 1
    return found, missing


def _add_media(archive: ArchiveWriter, folder: Path, media_id: str) -> bool:
    """A file is in its place; or (just committed, or just being deleted) unsettled; and then perhaps in its place."""
    name = f"{media_id[:2]}/{media_id[2:]}"
    places = (folder / "content" / name, folder / "unsettled" / media_id, folder / "content" / name)
    return any(archive.add_file(MEDIA_NAME + name, place) for place in places)


def _rotate(settings: Settings, folder: Path) -> tuple[Path, ...]:
    backups = backups_in(folder, settings.server_name)
    removed = superfluous(backups, settings.backup.keep, settings.backup.keep_months)
    parts = {Path(part.name.removesuffix(_PART)): part for part in folder.glob(f"*{_PART}")}
    broken_off = [parts[backup] for backup in backups_among(parts, settings.server_name)]
    for old in (*removed, *broken_off):
        old.unlink(missing_ok=True)
    return tuple(removed)


@contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """A file that has its name only when it is whole and on the disk."""
    part = path.with_name(path.name + _PART)
    try:
        yield part
        part.replace(path)
        settle(path.parent)
    except OSError as fault:
        raise Refused(f"The backup could not be written: {fault.filename or path.parent}: {fault.strerror}.") from fault
    finally:
        part.unlink(missing_ok=True)


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder} for backups. Is the disk plugged in? Otherwise make the folder.")


def _require_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise Refused(f"{folder} has {free // 2**20} MB left; about {wanted // 2**20} MB are needed.")


def require_own_user(data_dir: Path) -> None:
    """Refuses another user than the owner of the data: files that root leaves behind would stop the node."""
    if not data_dir.is_dir():
        raise Refused(f"There is no folder {data_dir}.")
    if os.geteuid() != data_dir.stat().st_uid:
        raise not_the_owner(data_dir)
