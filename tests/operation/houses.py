"""Nodes that are backed up and put back, for the tests about keeping a node."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.config import Settings
from server.foundation.clock import SystemClock
from server.operation.backup import Made, make_backup
from server.operation.restore import Restored, restore
from tests.builders import SERVER_NAME, settings_for

TOML = f"""\
# How a test's node is set up.
server_name = "{SERVER_NAME}"
[passwords]
cost = 4
[limits]
enabled = false
[registration]
mode = "open"
"""


def house(folder: Path, more: str = "") -> Settings:
    """The settings of a node that has a kairan.toml, as every real one has."""
    folder.mkdir(exist_ok=True)
    (folder / "kairan.toml").write_text(TOML + more)
    return settings_for(folder, more=more)


async def backed_up(settings: Settings, folder: Path) -> Made:
    """A backup, made beside the running node."""
    folder.mkdir(exist_ok=True)
    config = settings.data_dir / "kairan.toml"
    return await asyncio.to_thread(make_backup, settings, config, folder, SystemClock())


async def put_back(file: Path, folder: Path, secret_key: bytes | None = None) -> Restored:
    """A node from a backup."""
    return await asyncio.to_thread(restore, file, folder, secret_key, SystemClock())
