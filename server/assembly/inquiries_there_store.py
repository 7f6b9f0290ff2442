"""Whether anything was ever asked. The table belongs to a feature that is not loaded for this question."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from server.storage.database import Database

_ANYTHING: Final = text("SELECT 1 FROM inquiries LIMIT 1")


async def is_any_inquiry_kept(database: Database) -> bool:
    """Whether there is an inquiry."""
    return await database.fetch_one(_ANYTHING) is not None
