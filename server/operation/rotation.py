"""Names of backups, and which of them go when a new one is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from server.foundation.clock import tokyo_time

# A name of today sorts behind that of yesterday.
_NAME: Final = re.compile(r"kairan-(?P<node>.+)-(?P<month>\d{6})\d{2}-\d{6}\.tar\.gz(\.sealed)?\Z")
SEALED: Final = ".sealed"


def name_of(server_name: str, now_ms: int, *, is_sealed: bool) -> str:
    """``kairan-sakura.example.jp-20260401-021000.tar.gz``, by the clock on a wall in Japan."""
    moment = tokyo_time(now_ms).strftime("%Y%m%d-%H%M%S")
    return f"kairan-{_plain(server_name)}-{moment}.tar.gz" + (SEALED if is_sealed else "")


def backups_in(folder: Path, server_name: str) -> list[Path]:
    """The backups of one node, oldest first."""
    return backups_among(folder.iterdir(), server_name)


def backups_among(paths: Iterable[Path], server_name: str) -> list[Path]:
    """Those of ``paths`` that are called as backups of one node are, oldest first."""
    found = [path for path in paths if node_of(path.name) == _plain(server_name)]
    return sorted(found, key=lambda path: path.name.removesuffix(SEALED))


def superfluous(backups: Sequence[Path], keep: int, keep_months: int) -> list[Path]:
    """Which may go: all but the ``keep`` newest and, of ``keep_months`` months before them, the newest of each."""
    older = list(backups[:-keep])
    last_of_month = {_month_of(path): path for path in older}
    kept_months = sorted(last_of_month)[-keep_months:] if keep_months else []
    kept = {last_of_month[month] for month in kept_months}
    return [path for path in older if path not in kept]


def node_of(name: str) -> str | None:
    """Of which node a file is a backup, by its name; nothing where it is called otherwise."""
    match = _NAME.match(name)
    return match["node"] if match else None


def _month_of(path: Path) -> str:
    match = _NAME.match(path.name)
    return match["month"] if match else ""


def _plain(server_name: str) -> str:
    return "".join(char if char.isalnum() or char in ".-" else "_" for char in server_name)
