"""Table ``position_reservation``: up to where positions may have been given out.

Positions that nobody can find in a table any more (a message to a device that was fetched and deleted) are still in
clients' tokens. So every start goes on behind everything that an earlier run may have used, not behind what it left.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from server.storage.database import Database
from server.storage.restoration_store import lost_stretches
from server.storage.streams import StreamPositions

_BLOCK: Final = 1_000_000
_READ: Final = text("SELECT reserved FROM position_reservation")
_WRITE: Final = text("UPDATE position_reservation SET reserved = :reserved")


async def open_positions(database: Database) -> StreamPositions:
    """The node's positions, going on behind all that were ever given out."""
    async with database.write() as tx:
        used = int((await tx.execute(_READ)).scalar_one())
        await tx.execute(_WRITE, {"reserved": used + _BLOCK})
    positions = StreamPositions(used, reserved=used + _BLOCK)
    positions.lost = await lost_stretches(database)
    return positions


async def reserve_more(database: Database, positions: StreamPositions) -> None:
    """Reserve the next block when half of the last one is used. To be called now and then."""
    if positions.left > _BLOCK // 2:
        return
    reserved = positions.reserved + _BLOCK
    async with database.write() as tx:
        await tx.execute(_WRITE, {"reserved": reserved})
    positions.reserved = reserved
