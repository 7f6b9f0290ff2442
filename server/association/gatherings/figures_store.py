"""Table ``gathering_figures``: the message that tells a room how many come, and what it says now."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

gathering_figures: Final = Table(
    "gathering_figures", metadata,
    Column("gathering_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("figures", Text, nullable=False),
)
_PUT: Final = upsert(gathering_figures)


class Told(NamedTuple):
    """What a room was told: the first message, which is edited, and the figures."""

    event_id: str
    figures: dict[str, Any]


def note_figures(writes: Writes, gathering_id: str, room_id: str, told: Told) -> None:
    """A room was told."""
    writes.add(_PUT, {"gathering_id": gathering_id, "room_id": room_id, "event_id": told.event_id,
                      "figures": orjson.dumps(told.figures).decode()})


async def figures_told(database: Database, gathering_id: str) -> dict[str, Told]:
    """By room, what was told of a gathering."""
    rows = await database.fetch_all(
        select(gathering_figures).where(gathering_figures.c.gathering_id == gathering_id))
    return {row.room_id: Told(row.event_id, orjson.loads(row.figures)) for row in rows}
