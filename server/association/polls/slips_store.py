"""Table ``poll_slips``: whose answer a printed code stands for."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Table, Text, select, text

from server.association.polls.slip import Slip
from server.storage.database import Database, Writes, metadata

poll_slips: Final = Table(
    "poll_slips", metadata,
    Column("id", Text, primary_key=True),
    Column("poll_id", Text, nullable=False),
    Column("household_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
)
# Printed twice at the same time, the first code stays.
_ADD: Final = text(
    "INSERT INTO poll_slips (id, poll_id, household_id, person_id) VALUES (:id, :poll_id, :household_id, :person_id) "
    "ON CONFLICT (poll_id, household_id, person_id) DO NOTHING"
)


def add_slip(writes: Writes, slip: Slip) -> None:
    """Store a slip, unless there is one for the same answer."""
    writes.add(_ADD, slip._asdict())


async def slips_of(database: Database, poll_id: str) -> list[Slip]:
    """All slips of a poll."""
    rows = await database.fetch_all(select(poll_slips).where(poll_slips.c.poll_id == poll_id))
    return [_as_slip(row) for row in rows]


async def find_slip(database: Database, slip_id: str) -> Slip | None:
    """One slip."""
    row = await database.fetch_one(select(poll_slips).where(poll_slips.c.id == slip_id))
    return None if row is None else _as_slip(row)


def _as_slip(row: Any) -> Slip:
    return Slip(row.id, row.poll_id, row.household_id, row.person_id)
