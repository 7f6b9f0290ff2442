"""Table ``far_device_lists``: lists of devices of other servers' users. Their keys stand beside those of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, insert, select, update

from server.accounts.cross_signing_store import cross_signing_keys
from server.accounts.device_keys_store import device_keys
from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

Json = dict[str, Any]

lists: Final = Table(
    "far_device_lists", metadata,
    Column("user_id", Text, primary_key=True),
    Column("stream_id", BigInteger, nullable=False),
    Column("stale", Integer, nullable=False),
)

_SET: Final = upsert(lists)
_STALE: Final = update(lists).where(lists.c.user_id == bindparam("who")).values(stale=1)
_MOST: Final = 500


class FarList(NamedTuple):
    """A list that is kept here: its number, and whether we know that it is outdated."""

    user_id: str
    stream_id: int
    is_stale: bool


async def far_lists(database: Database, user_ids: Sequence[str]) -> dict[str, FarList]:
    """The lists of these users, as far as they are kept."""
    found: dict[str, FarList] = {}
    for start in range(0, len(user_ids), _MOST):
        for row in await database.fetch_all(select(lists).where(lists.c.user_id.in_(user_ids[start:start + _MOST]))):
            found[row.user_id] = FarList(row.user_id, int(row.stream_id), bool(row.stale))
    return found


async def all_far_lists(database: Database) -> list[FarList]:
    """All that are kept."""
    rows = await database.fetch_all(select(lists))
    return [FarList(row.user_id, int(row.stream_id), bool(row.stale)) for row in rows]


async def set_far_list(tx: Transaction, found: FarList) -> None:
    """It is kept from now on, or has another number."""
    await tx.execute(_SET, {"user_id": found.user_id, "stream_id": found.stream_id, "stale": int(found.is_stale)})


async def set_stale(tx: Transaction, user_id: str) -> None:
    """The list is outdated, if it is kept at all."""
    await tx.execute(_STALE, {"who": user_id})


async def read_far_keys(tx: Transaction, user_id: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """What is kept: devices by id, and cross-signing keys by usage."""
    devices = await tx.execute(select(device_keys).where(device_keys.c.user_id == user_id))
    keys = await tx.execute(select(cross_signing_keys).where(cross_signing_keys.c.user_id == user_id))
    return (
        {row.device_id: orjson.loads(row.json) for row in devices.fetchall()},
        {row.usage: orjson.loads(row.json) for row in keys.fetchall()},
    )


async def replace_far_devices(tx: Transaction, user_id: str, devices: dict[str, Json]) -> None:
    """These are the user's devices, and no others."""
    await tx.execute(delete(device_keys).where(device_keys.c.user_id == user_id))
    if devices:
        await tx.execute(insert(device_keys), [
            {"user_id": user_id, "device_id": device_id, "json": orjson.dumps(keys)}
            for device_id, keys in devices.items()
        ])


async def replace_far_cross_signing(tx: Transaction, user_id: str, keys: dict[str, Json]) -> None:
    """These are the user's cross-signing keys by usage, and no others."""
    await tx.execute(delete(cross_signing_keys).where(cross_signing_keys.c.user_id == user_id))
    if keys:
        await tx.execute(insert(cross_signing_keys), [
            {"user_id": user_id, "usage": usage, "json": orjson.dumps(key)} for usage, key in keys.items()
        ])


async def drop_far_lists(tx: Transaction, user_ids: Sequence[str]) -> None:
    """They are of no concern any more: nobody tells us when they change."""
    for start in range(0, len(user_ids), _MOST):
        some = user_ids[start:start + _MOST]
        for table in (lists, device_keys, cross_signing_keys):
            await tx.execute(delete(table).where(table.c.user_id.in_(some)))
