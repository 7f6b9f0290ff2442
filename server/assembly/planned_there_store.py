"""Whether any circular waits for its time. The table belongs to a feature that is not loaded for this question."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from server.storage.database import Database

_ANYTHING: Final = text("SELECT 1 FROM planned_circulars LIMIT 1")


async def is_any_circular_planned(database: Database) -> bool:
    """Whether there is one."""
    return await database.fetch_one(_ANYTHING) is not None
