"""Table ``restorations``: that the node was put back from backups, and which positions mean nothing since then.

``server.operation`` writes it; the node reads it, to be kind to apps that remember a time which it does not.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from server.storage.database import Database

_STRETCHES: Final = text("SELECT lost_from, lost_until FROM restorations ORDER BY restored_ms")
_SINCE: Final = text("SELECT 1 FROM restorations WHERE restored_ms > :since LIMIT 1")


async def lost_stretches(database: Database) -> list[range]:
    """Positions that clients may hold and that nothing here stands at."""
    return [range(int(row[0]), int(row[1])) for row in await database.fetch_all(_STRETCHES)]


async def was_restored_since(database: Database, since_ms: int) -> bool:
    """Whether the node was put back from a backup after ``since_ms``."""
    return await database.fetch_one(_SINCE, {"since": since_ms}) is not None
