"""Ansible's way into a folder that holds a whole Debian, which may be booted, for the tests of the playbooks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible.plugins.connection import ConnectionBase

INTO = ("sh", str(Path(__file__).parents[1] / "into.sh"))

DOCUMENTATION = """
name: chroot
short_description: Work in a folder that holds a whole Debian
description: For the test of the playbooks only.
options: {}
"""


class Connection(ConnectionBase):
    """The name of the host is the folder."""

    transport = "chroot"
    has_pipelining = True
    has_tty = False

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = False) -> tuple[int, bytes, bytes]:
        """Run a line of shell there."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        command = [*INTO, self._play_context.remote_addr, "/bin/sh", "-c", cmd]
        done = subprocess.run(command, input=in_data or b"", capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Bring a file there."""
        super().put_file(in_path, out_path)
        shutil.copyfile(in_path, self._inside(out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Bring a file here."""
        super().fetch_file(in_path, out_path)
        shutil.copyfile(self._inside(in_path), out_path)

    def close(self) -> None:
        """Nothing is open."""
        self._connected = False

    def _inside(self, path: str) -> Any:
        return Path(self._play_context.remote_addr) / path.lstrip("/")
