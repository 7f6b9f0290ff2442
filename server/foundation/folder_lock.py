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
    handle = os.open(folder / "kairan.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"A node is running on {folder} already.") from None
        yield
    finally:
        os.close(handle)
