"""Table ``application_service_rooms``: rooms that services publish in lists of their own."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

application_service_rooms: Final = Table(
    "application_service_rooms", metadata,
    Column("service", Text, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
)

_columns: Final = application_service_rooms.c
_ADD: Final = upsert(application_service_rooms, replace=())
_REMOVE: Final = delete(application_service_rooms).where(
    _columns.service == bindparam("of"), _columns.network == bindparam("on"), _columns.room_id == bindparam("which")
)


def add_room(writes: Writes, service_id: str, network_id: str, room_id: str) -> None:
    """Publish a room."""
    writes.add(_ADD, {"service": service_id, "network": network_id, "room_id": room_id})


def remove_room(writes: Writes, service_id: str, network_id: str, room_id: str) -> None:
    """Publish a room no longer."""
    writes.add(_REMOVE, {"of": service_id, "on": network_id, "which": room_id})


async def rooms_of_network(database: Database, service_id: str, network_id: str) -> list[str]:
    """Ids of the rooms in one list."""
    statement = select(_columns.room_id).where(_columns.service == service_id, _columns.network == network_id)
    return [str(row[0]) for row in await database.fetch_all(statement.order_by(_columns.room_id))]


async def rooms_of_all(database: Database) -> list[str]:
    """Ids of the rooms in all lists."""
    statement = select(_columns.room_id).distinct().order_by(_columns.room_id)
    return [str(row[0]) for row in await database.fetch_all(statement)]
