"""Nodes that have started once already: a first start makes the rooms of the association, and the same every time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from server.config import Settings
from tests.builders import RunningNode, settings_for

# Signing key and database after a first start; made once for all tests of a process.
_made: list[tuple[str, bytes]] = []


async def settings_of_one_started_before(folder: Path) -> Settings:
    """A small node's settings in ``folder``, and beside them what it has after its first start."""
    if not _made:
        with TemporaryDirectory() as elsewhere:
            first = settings_for(Path(elsewhere))
            async with RunningNode(first):
                pass
            _made.append((first.signing_key_file.read_text(), _database(first).read_bytes()))
    settings = settings_for(folder)
    key, database = _made[0]
    settings.signing_key_file.write_text(key)
    _database(settings).write_bytes(database)
    return settings


def _database(settings: Settings) -> Path:
    return Path(settings.database.url.removeprefix("sqlite+aiosqlite:///"))
