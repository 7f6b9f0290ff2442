"""``kairan import``: a fresh node from an export, with the same counts in every table."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from server.foundation.clock import Clock
from server.foundation.durable import settle
from server.foundation.errors import Refused
from server.operation import description
from server.operation.after_restore_store import Moments, renumber
from server.operation.backup import DATABASE_NAME, KEY_NAME, SETTINGS_NAME, TEXTS_NAME
from server.operation.export import FILES_NAME, NODE_NAME, TABLES_NAME
from server.operation.restore import bring_up_to_date, new_home, settle_settings
from server.operation.snapshot_store import counts_of, differences, faults_of, schema_of, tables_of
from server.operation.tables_store import filling
from server.storage.schema_version import migrations

Json = dict[str, Any]

_MEDIA_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,}")
_OF_DESKTOPS: Final = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini")
# What reading files meets that somebody has edited.
_BROKEN: Final = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Imported:
    """A node that was made: of what it is, how many rows and files it has."""

    folder: Path
    server_name: str
    rows: int
    files: int


def take_in(source: Path, folder: Path, clock: Clock) -> Imported:
    """Make a node in ``folder``, which is empty or not there, from the export ``source``. Raises ``Refused``; nothing
    is left of an attempt that failed.
    """
    about = _about(source)
    with new_home(folder):
        try:
            return _made(source, about, folder, clock)
        except _BROKEN as fault:
            raise Refused(f"{source} is no whole export: {fault}") from fault


def _about(source: Path) -> Json:
    try:
        about = description.read((source / description.NAME).read_bytes())
    except (OSError, ValueError) as fault:
        raise Refused(f"{source} is no export of Kairan: {fault}") from fault
    if about["schema"] > migrations()[-1][0]:
        raise Refused("This export was made by a newer Kairan; install that version, or a newer one.")
    return about


def _made(source: Path, about: Json, folder: Path, clock: Clock) -> Imported:
    files = _take_files(source / FILES_NAME, folder)
    _require_files(about, files)
    database = folder / DATABASE_NAME
    asyncio.run(bring_up_to_date(database, about["schema"]))
    rows = _fill(source / TABLES_NAME, database)
    _check(database, about)
    asyncio.run(bring_up_to_date(database))
    renumber(database, Moments(about["made_ms"], clock.now_ms()))
    shutil.copyfile(source / NODE_NAME / KEY_NAME, folder / KEY_NAME)
    (folder / KEY_NAME).chmod(0o600)
    if (source / NODE_NAME / TEXTS_NAME).is_dir():
        shutil.copytree(source / NODE_NAME / TEXTS_NAME, folder / TEXTS_NAME)
    shutil.copyfile(source / NODE_NAME / SETTINGS_NAME, folder / f"{SETTINGS_NAME}.part")
    settle_settings(folder)
    settle(folder)
    return Imported(folder, about["server_name"], rows, files)


def _fill(source: Path, database: Path) -> int:
    known = tables_of(database)
    unknown = sorted({file.stem for file in source.glob("*.jsonl")} - set(known))
    if unknown:
        raise Refused(f"This export holds what this version does not know ({', '.join(unknown)}); install a newer one.")
    with filling(database) as tables:
        tables.clear(known)
        return sum(tables.fill(table, _rows(source / f"{table}.jsonl")) for table in known)


def _rows(file: Path) -> Iterator[Json]:
    with file.open("rb") as lines:
        for line in lines:
            yield orjson.loads(line)


def _check(database: Path, about: Json) -> None:
    wrong = faults_of(database) or differences(about["counts"], counts_of(database))
    if schema_of(database) != about["schema"]:
        wrong.append("it was changed by hand")
    if wrong:
        raise Refused("This export is not whole: " + "; ".join(wrong[:3]))


def _take_files(source: Path, folder: Path) -> int:
    """The content of every file; what is called as none of ours is never looked at twice (paths out of the folder)."""
    count = 0
    for place in _entries(source):
        contents = _entries(place)
        if not _MEDIA_ID.fullmatch(place.name) or len(contents) != 1 or contents[0].is_symlink():
            raise ValueError(f"{place.name!r} is not the place of one file")
        target = folder / "media" / "content" / place.name[:2] / place.name[2:]
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(contents[0], target)
        target.chmod(0o600)
        count += 1
    return count


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, but for what desktops leave in every folder that they show."""
    return [entry for entry in sorted(folder.iterdir()) if not _OF_DESKTOPS.fullmatch(entry.name)]


def _require_files(about: Json, files: int) -> None:
    """Exports of before say nothing of how many there are."""
    if about.get("files", files) != files:
        raise Refused(f"This export is not whole: of {about['files']} files there are {files}.")
