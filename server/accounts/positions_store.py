"""The highest stream position that accounts have ever used."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from server.accounts.account_data_store import account_data
from server.accounts.device_lists_store import device_list_changes
from server.accounts.to_device_store import messages
from server.storage.database import Database

_TABLES: Final = (account_data, device_list_changes, messages)


async def last_position(database: Database) -> int:
    """The highest position in the tables of accounts. Messages that were fetched are not among them any more."""
    highest = 0
    for table in _TABLES:
        row = await database.fetch_one(select(func.max(table.c.stream)))
        highest = max(highest, int(row[0]) if row is not None and row[0] is not None else 0)
    return highest
