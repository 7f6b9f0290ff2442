"""A disk of our own: an ext4 file system in a file, from which the power can be taken.

A cut is FS_IOC_SHUTDOWN: what was not flushed is gone, as on a machine without power.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

_SHUTDOWN: Final = 0x8004587D  # FS_IOC_SHUTDOWN
_NO_LOG_FLUSH: Final = struct.pack("I", 2)


class Disk:
    """``place`` is where it is mounted."""

    def __init__(self, folder: Path, megabytes: int = 128) -> None:
        self._numbers = itertools.count(1)
        self._image = folder / "disk0"
        self._bytes = megabytes * 2**20
        self.place = folder / "mounted"
        self.place.mkdir()

    def make(self) -> str:
        """Make and mount it; answers why that is not possible here, or nothing."""
        if os.getuid() != 0 or shutil.which("mkfs.ext4") is None:
            return "A DISK OF OUR OWN WAS NOT TRIED: only root may mount"
        with self._image.open("wb") as file:
            file.truncate(self._bytes)
        # Nothing is kept back for root, who runs the tests.
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(self._image)], check=True)
        return self.mount()

    def mount(self) -> str:
        """Power is back. What is on the disk is put into another one first: whoever makes a mount namespace beside us
        has a copy of our mount, and while it lasts the old disk stays as it was at the cut.
        """
        old, self._image = self._image, self._image.with_name(f"disk{next(self._numbers)}")
        subprocess.run(["cp", "--sparse=always", str(old), str(self._image)], check=True)
        old.unlink()
        done = subprocess.run(
            ["mount", "-o", "loop,commit=600", str(self._image), str(self.place)], capture_output=True, text=True,
            check=False,
        )
        return f"A DISK OF OUR OWN WAS NOT TRIED: {done.stderr.strip()}" if done.returncode else ""

    def cut(self) -> None:
        """No power from now on: nothing more reaches the disk, not even what the system still holds."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _NO_LOG_FLUSH)
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Take it away."""
        subprocess.run(["umount", str(self.place)], check=False, stderr=subprocess.DEVNULL)
