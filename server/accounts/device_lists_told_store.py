"""Tables ``told_device_lists`` and ``told_devices``: what other servers were told of our users' devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.accounts.device_lists_store import device_list_changes
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

told_lists: Final = Table(
    "told_device_lists", metadata,
    Column("user_id", Text, primary_key=True),
    Column("stream_id", BigInteger, nullable=False),
    Column("change_stream", BigInteger, nullable=False),
)
told_devices: Final = Table(
    "told_devices", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)

_SET_LIST: Final = upsert(told_lists)
_SET_DEVICE: Final = upsert(told_devices)
_DROP_DEVICE: Final = delete(told_devices).where(
    told_devices.c.user_id == bindparam("who"), told_devices.c.device_id == bindparam("which")
)
_UNTOLD: Final = (
    select(told_lists.c.user_id)
    .join(device_list_changes, device_list_changes.c.user_id == told_lists.c.user_id)
    .where(device_list_changes.c.stream > told_lists.c.change_stream)
)


class Told(NamedTuple):
    """What others know of one user: the number of it, the change it reaches up to, and digests by device id."""

    stream_id: int
    change_stream: int
    digests: Mapping[str, str]


async def read_told(database: Database, user_id: str) -> Told | None:
    """What others know of a user; ``None`` where nobody was ever told anything."""
    row = await database.fetch_one(select(told_lists).where(told_lists.c.user_id == user_id))
    if row is None:
        return None
    rows = await database.fetch_all(select(told_devices).where(told_devices.c.user_id == user_id))
    return Told(int(row.stream_id), int(row.change_stream), {item.device_id: item.digest for item in rows})


def set_told(writes: Writes, user_id: str, told: Told, before: Mapping[str, str]) -> None:
    """Others know this from now on; ``before`` is what they knew of the devices."""
    writes.add(_SET_LIST, {
        "user_id": user_id, "stream_id": told.stream_id, "change_stream": told.change_stream,
    })
    for device_id in before.keys() - told.digests.keys():
        writes.add(_DROP_DEVICE, {"who": user_id, "which": device_id})
    for device_id, digest in told.digests.items():
        if before.get(device_id) != digest:
            writes.add(_SET_DEVICE, {"user_id": user_id, "device_id": device_id, "digest": digest})


async def untold_users(database: Database) -> list[str]:
    """Users of whom others know something older than what there is."""
    return [str(row[0]) for row in await database.fetch_all(_UNTOLD)]


async def is_anything_untold(database: Database) -> bool:
    """Whether others know something older of anybody than what there is."""
    return await database.fetch_one(_UNTOLD.limit(1)) is not None
