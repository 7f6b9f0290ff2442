"""``kairan import``: a fresh node from an export, with the same counts in every table."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson

from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.operation.after_restore_store import Moments, renumber
from server.operation.backup import DATABASE_NAME, KEY_NAME, SETTINGS_NAME, TEXTS_NAME
from server.operation.export import ABOUT_NAME, FILES_NAME, FORMAT, NODE_NAME, TABLES_NAME
from server.operation.restore import bring_up_to_date, clear, require_empty, settle_settings, sync_folder
from server.operation.snapshot_store import counts_of, differences, faults_of, tables_of
from server.operation.tables_store import filling
from server.storage.schema_version import migrations

Json = dict[str, Any]


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
    require_empty(folder)
    was_there = folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _made(source, about, folder, clock)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        clear(folder, keep=was_there)
        raise Refused(f"{source} is no whole export: {fault}") from fault
    except BaseException:
        clear(folder, keep=was_there)
        raise


def _about(source: Path) -> Json:
    try:
        about: Json = json.loads((source / ABOUT_NAME).read_text("utf-8"))
        if about["format"] <= FORMAT and about["schema"] <= migrations()[-1][0] and about["counts"]:
            return about
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Refused(f"{source} is no export of Kairan: {fault}") from fault
    raise Refused("This export was made by a newer Kairan; install that version, or a newer one.")


def _made(source: Path, about: Json, folder: Path, clock: Clock) -> Imported:
    database = folder / DATABASE_NAME
    asyncio.run(bring_up_to_date(database, about["schema"]))
    rows = _fill(source / TABLES_NAME, database)
    _check(database, about["counts"])
    asyncio.run(bring_up_to_date(database))
    files = _take_files(source / FILES_NAME, folder)
    renumber(database, Moments(about["made_ms"], clock.now_ms()))
    shutil.copyfile(source / NODE_NAME / KEY_NAME, folder / KEY_NAME)
    (folder / KEY_NAME).chmod(0o600)
    if (source / NODE_NAME / TEXTS_NAME).is_dir():
        shutil.copytree(source / NODE_NAME / TEXTS_NAME, folder / TEXTS_NAME)
    shutil.copyfile(source / NODE_NAME / SETTINGS_NAME, folder / f"{SETTINGS_NAME}.part")
    settle_settings(folder)
    sync_folder(folder)
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


def _check(database: Path, counts: dict[str, int]) -> None:
    wrong = faults_of(database) or differences(counts, counts_of(database))
    if wrong:
        raise Refused("This export is not whole: " + "; ".join(wrong[:3]))


def _take_files(source: Path, folder: Path) -> int:
    count = 0
    for place in sorted(source.iterdir()):
        media_id = unquote(place.name)
        target = folder / "media" / "content" / media_id[:2] / media_id[2:]
        for content in place.iterdir():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(content, target)
            target.chmod(0o600)
            count += 1
    return count
