"""Which of several processes on one PostgreSQL database is active: the one whose connection holds the advisory lock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.storage.connection import Connection
from server.storage.faults import StorageBusy, meaning

_ADVISORY_LOCK: Final = 0x6B616972  # "kair"
_BE_ACTIVE: Final = text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})")


async def is_active(connection: Connection) -> bool:
    """Whether ``connection`` holds the lock, or gets it within ``lock_timeout``; it may take it often."""
    try:
        await connection.execute(_BE_ACTIVE)
    except DBAPIError as fault:
        await connection.rollback()
        if isinstance(meaning(fault), StorageBusy):
            return False
        raise
    return True
