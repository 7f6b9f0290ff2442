"""Table ``dehydrated_devices``: the one device of each user that takes keys while all others are away (MSC3814)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Column, LargeBinary, Table, Text, and_, bindparam, delete, select

from server.accounts.sessions_store import Device, add_device, devices
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

dehydrated_devices: Final = Table(
    "dehydrated_devices", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, nullable=False),
    Column("device_data", LargeBinary, nullable=False),
)
_SET: Final = upsert(dehydrated_devices)
_DROP: Final = delete(dehydrated_devices).where(dehydrated_devices.c.user_id == bindparam("who"))


@dataclass(frozen=True, slots=True)
class DehydratedDevice:
    """``data`` is the device itself, encrypted by the user's clients for themselves."""

    device_id: str
    data: dict[str, Any]


def set_dehydrated(
    writes: Writes, user_id: str, device: DehydratedDevice, display_name: str | None, now_ms: int
) -> None:
    """Store it, and a device without tokens beside it."""
    add_device(writes, Device(user_id, device.device_id, display_name, now_ms))
    writes.add(_SET, {
        "user_id": user_id, "device_id": device.device_id, "device_data": orjson.dumps(device.data),
    })


def drop_dehydrated(writes: Writes, user_id: str) -> None:
    """Forget it; the device is the caller's business."""
    writes.add(_DROP, {"who": user_id})


async def find_dehydrated(database: Database, user_id: str) -> DehydratedDevice | None:
    """The one of a user, unless its device has been removed."""
    same = and_(
        devices.c.user_id == dehydrated_devices.c.user_id, devices.c.device_id == dehydrated_devices.c.device_id
    )
    row = await database.fetch_one(
        select(dehydrated_devices.c.device_id, dehydrated_devices.c.device_data)
        .select_from(dehydrated_devices.join(devices, same)).where(dehydrated_devices.c.user_id == user_id)
    )
    return None if row is None else DehydratedDevice(row.device_id, orjson.loads(row.device_data))
