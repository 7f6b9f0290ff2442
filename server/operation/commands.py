"""The commands about keeping a node; each answers the exit status. Their arguments: ``server/commands/keeping.py``."""

from __future__ import annotations

import getpass
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.config import Settings
from server.foundation.clock import SystemClock, tokyo_time
from server.foundation.errors import Refused
from server.operation.archive import is_sealed
from server.operation.copying import backups_there, fetch
from server.operation.daily import backup_sentence, check_sentence, copy_sentence
from server.operation.doctor import examine
from server.operation.export import export, export_person
from server.operation.far_places import Means
from server.operation.findings import State
from server.operation.importing import take_in
from server.operation.moving import move_database
from server.operation.restore import require_empty, restore
from server.operation.sealing import new_pair, read_key


def back_up(settings: Settings, config: Path, folder: Path | None) -> int:
    """Make a backup now, and bring it to the places far away unless a folder was asked for."""
    target = folder or settings.backup.folder
    if target is None:
        raise Refused("Say where: kairan backup --folder DIR, or [backup] folder in the settings.")
    _say(backup_sentence(settings, config, target.absolute(), SystemClock()))
    if folder is None and settings.backup.copy_to:
        _say(copy_sentence(settings))
    return 0


def list_backups(place: str, means: Means) -> int:
    """Say which backups there are at a place far away."""
    for name, size in backups_there(place, means).items():
        _say(f"{size / 2**20:9.1f} MB  {name}")
    return 0


def make_backup_key() -> int:
    """Print a pair of keys."""
    public, secret = new_pair()
    _say("Put this into kairan.toml, below [backup]:", f'public_key = "{public}"', "")
    _say("Write this on paper, or print it, and keep it in the safe. It is shown only now, and is nowhere else.")
    _say("Without it no sealed backup can be read, by nobody.", "", secret)
    return 0


def check(settings: Settings) -> int:
    """Look whether the data is sound."""
    _say(check_sentence(settings))
    return 0


def examine_all(settings: Settings) -> int:
    """Look at everything around the node, and say what to do; 1 where something is bad."""
    status = 0
    for finding in examine(settings, SystemClock()):
        _say(*finding.lines())
        status |= finding.state is State.BAD
    return int(status)


def put_back(source: str, folder: Path, key_file: Path | None, means: Means) -> int:
    """Restore a backup, from a file or from a place far away, into an empty folder, and say what to think of."""
    with _brought(source, folder.absolute(), means) as file:
        done = restore(file, folder.absolute(), _secret_key(file, key_file), SystemClock())
    _say(
        f"{done.server_name} is back in {done.folder}, as of {tokyo_time(done.made_ms):%Y-%m-%d %H:%M}: "
        f"{sum(done.counts.values())} rows, {done.files} files.",
        "",
        "Before you start it:",
        "- The old node must never start again: two nodes of one name spoil each other.",
        f"- Look through {done.folder / 'kairan.toml'}; certificates that it names are not in a backup.",
        "",
        "What was done after the backup is not in it. In particular:",
        "- Whoever was locked out, left or changed their password since then can come in as before: do it again.",
        "- Invitations that were used since then can be used again.",
        "- Erased people are back if they were erased since then: erase them again.",
        "- Other servers still have what was said since then in common rooms, and give it back.",
        "- Apps may ask for the password again, and keep their encrypted messages.",
        "",
        f"Start it with: kairan run --config {done.folder / 'kairan.toml'}",
    )
    return 0


def give_out(settings: Settings, config: Path, target: Path, person: str) -> int:
    """Export everything, or what is known of one person."""
    if person:
        rows = export_person(settings, person, target.absolute())
        _say(f"{target}: {rows} rows about {person}. Give it to nobody else.")
        return 0
    done = export(settings, config, target.absolute(), SystemClock())
    _say(
        f"{done.folder}: {done.rows} rows, {done.events} events, {done.files} files, {done.messages} messages to read.",
        "It holds names, numbers and the node's key: lock it away.",
    )
    return 0


def move(settings: Settings) -> int:
    """Move the database to PostgreSQL; the address, which may hold a password, comes from standard input."""
    if sys.stdin.isatty():
        url = getpass.getpass("Address (postgresql+asyncpg://user:password@host/name): ").strip()
    else:
        url = sys.stdin.readline().strip()
    counts = move_database(settings, url)
    _say(
        f"{sum(counts.values())} rows of {len(counts)} tables are in PostgreSQL, as many as before.",
        "Put its address into kairan.toml, [database] url, and start the node.",
        "The SQLite file stays where it is; keep it until you are sure.",
    )
    return 0


def take_over(source: Path, folder: Path) -> int:
    """Make a node from an export."""
    done = take_in(source.absolute(), folder.absolute(), SystemClock())
    _say(
        f"{done.server_name} is in {done.folder}: {done.rows} rows, {done.files} files, as in the export.",
        "The old node must never start again: two nodes of one name spoil each other.",
        f"Start this one with: kairan run --config {done.folder / 'kairan.toml'}",
    )
    return 0


@contextmanager
def _brought(source: str, folder: Path, means: Means) -> Iterator[Path]:
    """The file of a backup; one from far away lies beside where it is restored to for the time of the block."""
    if "://" not in source:
        if not Path(source).is_file():
            raise Refused(f"There is no file {source}.")
        yield Path(source)
        return
    require_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kairan-restore-", dir=folder.parent) as beside:
        yield fetch(source, means, Path(beside))


def _secret_key(file: Path, key_file: Path | None) -> bytes | None:
    with file.open("rb") as opened:
        if not is_sealed(opened):
            return None
    if key_file is not None:
        return read_key("secret", _text_of(key_file))
    if sys.stdin.isatty():
        return read_key("secret", getpass.getpass("Secret key of the backup: "))
    return None


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except ValueError:
        raise Refused(f"{file} is no text; it should hold the secret key of the backup.") from None


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
