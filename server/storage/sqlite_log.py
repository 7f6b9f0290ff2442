"""SQLite's write-ahead log as a place where erased words could stay: whole pages as they were before.

A checkpoint copies the log into the database, and the next writers begin at its start; what lies behind them stays
until they have come so far, on a quiet node for weeks. Emptied, it is a file of no bytes.
"""

from __future__ import annotations

from typing import Final

from server.storage.connection import Connection
from server.storage.engines import BUSY_MS

# Writers stand behind this: whoever reads for longer is not waited for.
_PATIENCE_MS: Final = 250


async def empty(writer: Connection) -> bool:
    """Empty the log; ``False`` where somebody reads from it just now. No transaction may be open."""
    await writer.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    try:
        result = await writer.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return not result.one()[0]
    finally:
        await writer.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
