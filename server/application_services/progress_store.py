"""Table ``application_services``: how far each has been told. One row a service, none an event."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

application_services: Final = Table(
    "application_services", metadata,
    Column("id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("txn", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

_SET: Final = upsert(application_services)


class Progress(NamedTuple):
    """Everything up to ``position`` was told. ``txn``, unless empty, tells on up to ``until`` and may have arrived."""

    position: int
    txn: str = ""
    until: int = 0


def set_progress(writes: Writes, service_id: str, progress: Progress) -> None:
    """Store how far a service has been told."""
    writes.add(_SET, {"id": service_id, **progress._asdict()})


async def find_progress(database: Database, service_id: str) -> Progress | None:
    """How far a service has been told; ``None`` for one that is new."""
    row = await database.fetch_one(select(application_services).where(application_services.c.id == service_id))
    return None if row is None else Progress(row.position, row.txn, row.until)
