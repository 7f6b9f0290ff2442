"""What must be on the disk before the next step is begun."""

from __future__ import annotations

import os
from pathlib import Path


def settle(place: Path) -> None:
    """Make the content of a file, or the names in a folder, durable."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
