"""``kairan restore``: a node from a backup, in an empty folder.

What comes back is the moment of the backup; ``after_restore_store.py`` says what is made new, and why. The folder has
its settings last: a restoration that was cut off leaves no node that could be started.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from server.config.values import SQLITE
from server.foundation.clock import Clock, tokyo_time
from server.foundation.durable import settle
from server.foundation.errors import Refused
from server.operation.after_restore_store import Moments, renumber
from server.operation.archive import Archive, archive_from
from server.operation.backup import DATABASE_NAME, KEY_NAME, SETTINGS_NAME, TEXTS_NAME
from server.operation.sealing import Unreadable
from server.operation.snapshot_store import counts_of, differences, faults_of
from server.storage.database import Database
from server.storage.schema_version import migrate

_MEDIA: Final = re.compile(r"media/([A-Za-z0-9_-]{2})/([A-Za-z0-9_-]+)\Z")
_TEXT: Final = re.compile(r"texts/[^/]+\Z")
_DATA_DIR: Final = re.compile(r"^[ \t]*data_dir[ \t]*=.*$", re.MULTILINE)
_CLOCK_SLACK_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Restored:
    """A node that is back: of what it is, when its backup was made, what is in it."""

    folder: Path
    server_name: str
    made_ms: int
    counts: Mapping[str, int]
    files: int


def restore(file: Path, folder: Path, secret_key: bytes | None, clock: Clock) -> Restored:
    """Restore ``file`` into ``folder``, which is made, or empty. Raises ``Refused``; the folder is empty again then."""
    with new_home(folder):
        try:
            with file.open("rb") as opened, archive_from(opened, secret_key) as archive:
                return _restored(archive, folder, clock)
        except OSError as fault:
            raise Refused(f"{fault.filename or file} could not be restored: {fault.strerror}.") from fault


def _restored(archive: Archive, folder: Path, clock: Clock) -> Restored:
    about, now_ms = archive.about, clock.now_ms()
    if about["made_ms"] > now_ms + _CLOCK_SLACK_MS:
        made = tokyo_time(about["made_ms"])
        raise Refused(f"This backup is of {made:%Y-%m-%d %H:%M}, which is still to come; set this machine's clock.")
    files = sum([_take_out(folder, name, content) for name, content in archive.files])
    _check(folder, about["counts"])
    asyncio.run(bring_up_to_date(folder / DATABASE_NAME))
    renumber(folder / DATABASE_NAME, Moments(about["made_ms"], now_ms))
    settle_settings(folder)
    settle(folder)
    return Restored(folder, about["server_name"], about["made_ms"], about["counts"], files)


def _take_out(folder: Path, name: str, content: IO[bytes]) -> int:
    """Write one file; answers whether it is one of those that people have uploaded."""
    media = _MEDIA.match(name)
    if media:
        target = folder / "media" / "content" / media[1] / media[2]
    elif _TEXT.match(name) or name in (DATABASE_NAME, KEY_NAME):
        target = folder / name
    elif name == SETTINGS_NAME:
        target = folder / (SETTINGS_NAME + ".part")
    else:
        raise Unreadable(f"This backup holds {name!r}, which this version does not know.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        shutil.copyfileobj(content, opened, 1 << 20)
        opened.flush()
        os.fsync(opened.fileno())
    return int(media is not None)


def _check(folder: Path, counts: Mapping[str, int]) -> None:
    missing = [name for name in (DATABASE_NAME, KEY_NAME, SETTINGS_NAME + ".part") if not (folder / name).is_file()]
    if missing:
        raise Unreadable(f"This backup is not whole: {', '.join(missing)} is missing.")
    if faults := faults_of(folder / DATABASE_NAME):
        raise Unreadable("The database in this backup is damaged: " + "; ".join(faults[:3]))
    if different := differences(dict(counts), counts_of(folder / DATABASE_NAME)):
        raise Unreadable("This backup holds something else than it says: " + "; ".join(different[:3]))


async def bring_up_to_date(file: Path, until: int | None = None) -> None:
    """Run the migrations that are missing (up to ``until``); raises ``Refused`` for a database that is too new."""
    database = Database(SQLITE + str(file))
    await database.open()
    try:
        await migrate(database, until=until)
    finally:
        await database.close()


def settle_settings(folder: Path) -> None:
    """The settings go on, but for where things lie: that is here now, and the database a file."""
    part = folder / (SETTINGS_NAME + ".part")
    texts = TEXTS_NAME if (folder / TEXTS_NAME).is_dir() else ""
    toml = _DATA_DIR.sub('data_dir = "."', part.read_text("utf-8"))
    toml = _said_in(_said_in(toml, "database", "url", ""), "consent", "folder", texts)
    told = tomllib.loads(toml)
    if told.get("data_dir", ".") != "." or told.get("database", {}).get("url", ""):
        raise Refused("The settings in this backup say in an unusual way where the data is; restore it by hand.")
    part.write_text(toml, "utf-8")
    part.replace(folder / SETTINGS_NAME)


def _said_in(toml: str, section: str, name: str, value: str) -> str:
    """The settings, with another value where a section says something of that name."""
    head, bracket, rest = toml.partition(f"[{section}]")
    if not bracket:
        return toml
    body, following, others = rest.partition("\n[")
    said = re.sub(rf"^[ \t]*{name}[ \t]*=.*$", f'{name} = "{value}"', body, flags=re.MULTILINE)
    return head + bracket + said + following + others


def require_empty(folder: Path) -> None:
    """Raises ``Refused`` unless the folder is empty, or not there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is not empty; nothing was changed. Give a folder that does not exist yet.")


@contextmanager
def new_home(folder: Path) -> Iterator[None]:
    """A folder to make a node in, made or empty; whatever leaves the block as an exception leaves it so again."""
    require_empty(folder)
    was_there = folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise Refused(f"The folder {folder} cannot be made: {fault.strerror}.") from fault
    try:
        yield
    except BaseException:
        _clear(folder, keep=was_there)
        raise


def _clear(folder: Path, *, keep: bool) -> None:
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    if not keep:
        folder.rmdir()
