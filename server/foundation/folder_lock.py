"""One process a folder: a node keeps rooms in memory, so two on the same data would write over each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.foundation.errors import Refused


class FolderInUse(Refused):
    """Another process works on this folder."""

    status = 409


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for the time of the block; raises ``FolderInUse``. The system lets go when the process dies."""
    with _opened(folder / "kairan.lock") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"A node is running on {folder} already.") from None
        yield


@contextmanager
def one_at_a_time(folder: Path, work: str) -> Iterator[None]:
    """Wait until no other process does ``work`` in ``folder``, and keep others waiting for the time of the block."""
    with _opened(folder / f"{work}.lock") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def not_the_owner(folder: Path) -> Refused:
    """What is told to whoever may not work on a node's folder."""
    return Refused(f"Please do this as the owner of {folder}: sudo -u '#{folder.stat().st_uid}' kairan …")


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise not_the_owner(file.parent) from None
    try:
        yield handle
    finally:
        os.close(handle)
