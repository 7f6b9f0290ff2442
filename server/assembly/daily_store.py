"""Whether anything is kept of daily life. The tables belong to features that are not loaded for this question."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from server.storage.database import Database

_ANYTHING: Final = text(
    "SELECT 1 FROM facilities UNION ALL SELECT 1 FROM booking_requests UNION ALL SELECT 1 FROM garbage_plans "
    "UNION ALL SELECT 1 FROM duties UNION ALL SELECT 1 FROM hazards LIMIT 1"
)


async def is_anything_kept(database: Database) -> bool:
    """Whether there is a facility, a request for a booking, a block with garbage days, a duty, or a hazard report."""
    return await database.fetch_one(_ANYTHING) is not None
