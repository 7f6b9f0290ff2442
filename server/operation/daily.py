"""``kairan daily``: what is done once a day, by a timer: a backup and a check, and word of it to the officers.

Each work is tried, whatever became of the other. What went wrong goes to the node, which tells its officers in words
that they understand (``upkeep_words.py``); the operator reads the details here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.operation.backup import make_backup
from server.operation.checking import check_data
from server.operation.copying import copy_newest


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one work: whether it went well, and a sentence for the operator."""

    work: str
    is_done: bool
    sentence: str


def do_daily_work(settings: Settings, config: Path, clock: Clock) -> Iterator[Outcome]:
    """Check, back up, and bring the backup away, one after the other."""
    yield _tried("check", lambda: check_sentence(settings))
    folder = settings.backup.folder
    if folder is not None:
        yield _tried("backup", lambda: backup_sentence(settings, config, folder, clock))
    if settings.backup.copy_to:
        yield _tried("copy", lambda: copy_sentence(settings))


def check_sentence(settings: Settings) -> str:
    """Check, and say what there was; raises ``Refused`` with what is wrong."""
    checked = check_data(settings)
    if checked.faults:
        raise Refused("The data is damaged: " + "; ".join(checked.faults[:5]))
    return f"The data is sound: {checked.rows} rows, {checked.files} files."


def backup_sentence(settings: Settings, config: Path, folder: Path, clock: Clock) -> str:
    """Make a backup, and say where it is."""
    made = make_backup(settings, config, folder, clock)
    gone = f" {made.missing_files} files were not there." if made.missing_files else ""
    removed = f" {len(made.removed)} old backups were removed." if made.removed else ""
    return f"{made.path}: {made.bytes / 2**20:.1f} MB, {made.files} files.{gone}{removed}"


def copy_sentence(settings: Settings) -> str:
    """Bring the newest backup to the places far away, and say where it is now."""
    sentences = []
    for copied in copy_newest(settings):
        removed = f", and {copied.removed} old ones were removed" if copied.removed else ""
        sentences.append(f"{copied.place} has {copied.name}{'' if copied.was_brought else ' already'}{removed}.")
    return " ".join(sentences)


def _tried(work: str, do: Callable[[], str]) -> Outcome:
    try:
        return Outcome(work, True, do())
    except Refused as refusal:
        return Outcome(work, False, refusal.reason)
    except OSError as fault:
        return Outcome(work, False, str(fault))
