"""Tables ``device_keys``, ``one_time_keys`` and ``fallback_keys``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

Json = dict[str, Any]
DeviceKey = tuple[str, str]

device_keys: Final = Table(
    "device_keys", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("json", LargeBinary, nullable=False),
)
one_time_keys: Final = Table(
    "one_time_keys", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("algorithm", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("json", LargeBinary, nullable=False),
)
fallback_keys: Final = Table(
    "fallback_keys", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("algorithm", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("json", LargeBinary, nullable=False),
    Column("used", Integer, nullable=False),
)

_SET_DEVICE_KEYS: Final = upsert(device_keys)
_ADD_ONE_TIME_KEY: Final = insert(one_time_keys)
_SET_FALLBACK_KEY: Final = upsert(fallback_keys)
_USE_FALLBACK_KEY: Final = (
    update(fallback_keys)
    .where(fallback_keys.c.user_id == bindparam("who"), fallback_keys.c.device_id == bindparam("which"),
           fallback_keys.c.algorithm == bindparam("how"))
    .values(used=1)
)
_DROPS: Final = tuple(
    delete(table).where(table.c.user_id == bindparam("who"), table.c.device_id == bindparam("which"))
    for table in (device_keys, one_time_keys, fallback_keys)
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A one-time or fallback key: ``algorithm:key_id`` and what the client uploaded under it."""

    algorithm: str
    key_id: str
    value: Any

    @property
    def name(self) -> str:
        """``algorithm:key_id``."""
        return f"{self.algorithm}:{self.key_id}"


async def read_device_keys(tx: Transaction, user_id: str, device_id: str) -> Json | None:
    """The identity keys of one device."""
    row = (await tx.execute(
        select(device_keys.c.json).where(device_keys.c.user_id == user_id, device_keys.c.device_id == device_id)
    )).first()
    return None if row is None else orjson.loads(row[0])


async def device_keys_of(database: Database, user_ids: Sequence[str]) -> dict[str, dict[str, Json]]:
    """The identity keys of all devices of these users, by user and device."""
    found: dict[str, dict[str, Json]] = {}
    rows = await database.fetch_all(select(device_keys).where(device_keys.c.user_id.in_(user_ids)))
    for row in rows:
        found.setdefault(row.user_id, {})[row.device_id] = orjson.loads(row.json)
    return found


async def set_device_keys(tx: Transaction, user_id: str, device_id: str, keys: Json) -> None:
    """Store the identity keys of a device."""
    await tx.execute(_SET_DEVICE_KEYS, {"user_id": user_id, "device_id": device_id, "json": orjson.dumps(keys)})


async def read_one_time_keys(tx: Transaction, user_id: str, device_id: str) -> tuple[dict[str, Any], int]:
    """The unused one-time keys of a device by name, and the highest number among them."""
    rows = (await tx.execute(
        select(one_time_keys.c.algorithm, one_time_keys.c.key_id, one_time_keys.c.json, one_time_keys.c.number)
        .where(one_time_keys.c.user_id == user_id, one_time_keys.c.device_id == device_id)
    )).fetchall()
    keys = {f"{row.algorithm}:{row.key_id}": orjson.loads(row.json) for row in rows}
    return keys, max((int(row.number) for row in rows), default=0)


async def add_one_time_keys(
    tx: Transaction, user_id: str, device_id: str, keys: Sequence[PublicKey], first_number: int
) -> None:
    """Store one-time keys; they are issued in the order of their numbers."""
    await tx.execute(_ADD_ONE_TIME_KEY, [
        {"user_id": user_id, "device_id": device_id, "algorithm": key.algorithm, "key_id": key.key_id,
         "number": first_number + place, "json": orjson.dumps(key.value)}
        for place, key in enumerate(keys)
    ])


async def take_one_time_key(tx: Transaction, user_id: str, device_id: str, algorithm: str) -> PublicKey | None:
    """The oldest unused one-time key; it is gone then."""
    of_device = (
        one_time_keys.c.user_id == user_id, one_time_keys.c.device_id == device_id,
        one_time_keys.c.algorithm == algorithm,
    )
    row = (await tx.execute(
        select(one_time_keys.c.key_id, one_time_keys.c.json).where(*of_device)
        .order_by(one_time_keys.c.number).limit(1)
    )).first()
    if row is None:
        return None
    await tx.execute(delete(one_time_keys).where(*of_device, one_time_keys.c.key_id == row.key_id))
    return PublicKey(algorithm, row.key_id, orjson.loads(row.json))


async def read_fallback_keys(tx: Transaction, user_id: str, device_id: str) -> dict[str, PublicKey]:
    """The fallback keys of a device by algorithm, used or not."""
    rows = (await tx.execute(
        select(fallback_keys).where(fallback_keys.c.user_id == user_id, fallback_keys.c.device_id == device_id)
    )).fetchall()
    return {row.algorithm: PublicKey(row.algorithm, row.key_id, orjson.loads(row.json)) for row in rows}


async def set_fallback_keys(tx: Transaction, user_id: str, device_id: str, keys: Sequence[PublicKey]) -> None:
    """Store fallback keys, unused, over those of their algorithms."""
    await tx.execute(_SET_FALLBACK_KEY, [
        {"user_id": user_id, "device_id": device_id, "algorithm": key.algorithm, "key_id": key.key_id,
         "json": orjson.dumps(key.value), "used": 0}
        for key in keys
    ])


async def use_fallback_key(tx: Transaction, user_id: str, device_id: str, algorithm: str) -> PublicKey | None:
    """The fallback key of an algorithm; it counts as used from now on."""
    key = (await read_fallback_keys(tx, user_id, device_id)).get(algorithm)
    if key is not None:
        await tx.execute(_USE_FALLBACK_KEY, {"who": user_id, "which": device_id, "how": algorithm})
    return key


async def one_time_key_counts(database: Database) -> dict[DeviceKey, dict[str, int]]:
    """How many one-time keys each device has left, by algorithm."""
    counts: dict[DeviceKey, dict[str, int]] = {}
    columns = (one_time_keys.c.user_id, one_time_keys.c.device_id, one_time_keys.c.algorithm)
    for row in await database.fetch_all(select(*columns, func.count()).group_by(*columns)):
        counts.setdefault((row[0], row[1]), {})[row[2]] = int(row[3])
    return counts


async def unused_fallback_keys(database: Database) -> dict[DeviceKey, list[str]]:
    """The algorithms of which each device has an unused fallback key."""
    unused: dict[DeviceKey, list[str]] = {}
    rows = await database.fetch_all(select(fallback_keys).where(fallback_keys.c.used == 0))
    for row in rows:
        unused.setdefault((row.user_id, row.device_id), []).append(row.algorithm)
    return unused


def drop_keys(writes: Writes, user_id: str, device_id: str) -> None:
    """Forget all keys of a device."""
    for statement in _DROPS:
        writes.add(statement, {"who": user_id, "which": device_id})
