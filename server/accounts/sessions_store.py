"""Tables ``devices`` and ``access_tokens``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from server.accounts.users_store import users
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

devices: Final = Table(
    "devices", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("display_name", Text),
    Column("created_ts", BigInteger, nullable=False),
)
access_tokens: Final = Table(
    "access_tokens", metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One login of a user, until it is logged out."""

    user_id: str
    device_id: str
    display_name: str | None
    created_ts: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and from which device.

    ``service`` is the id of an application service that acts as the user; no limits hold where ``is_unlimited``.
    """

    user_id: str
    device_id: str
    is_guest: bool
    is_admin: bool
    service: str | None = None
    is_unlimited: bool = False


_ADD_DEVICE: Final = upsert(devices, replace=())
_RENAME: Final = (
    update(devices).where(devices.c.user_id == bindparam("who"), devices.c.device_id == bindparam("which"))
    .values(display_name=bindparam("new_name"))
)
_ADD_TOKEN: Final = insert(access_tokens)
# Rows of many callers are written grouped by statement, so this names the token that stays, whatever the order.
_DROP_OTHER_TOKENS: Final = delete(access_tokens).where(
    access_tokens.c.user_id == bindparam("who"), access_tokens.c.device_id == bindparam("which"),
    access_tokens.c.hash != bindparam("kept"),
)
_DROP_TOKENS: Final = delete(access_tokens).where(
    access_tokens.c.user_id == bindparam("who"), access_tokens.c.device_id == bindparam("which")
)
_DROP_DEVICE: Final = delete(devices).where(
    devices.c.user_id == bindparam("who"), devices.c.device_id == bindparam("which")
)


def add_session(writes: Writes, device: Device, token_hash: bytes, now_ms: int) -> None:
    """Store a device (one that is known keeps its name) and its only token."""
    writes.add(_ADD_DEVICE, {
        "user_id": device.user_id, "device_id": device.device_id, "display_name": device.display_name,
        "created_ts": device.created_ts,
    })
    writes.add(_ADD_TOKEN, {
        "hash": token_hash, "user_id": device.user_id, "device_id": device.device_id, "created_ts": now_ms,
    })
    writes.add(_DROP_OTHER_TOKENS, {"who": device.user_id, "which": device.device_id, "kept": token_hash})


def rename_device(writes: Writes, user_id: str, device_id: str, name: str | None) -> None:
    """Store another display name."""
    writes.add(_RENAME, {"who": user_id, "which": device_id, "new_name": name})


def drop_device(writes: Writes, user_id: str, device_id: str) -> None:
    """Forget a device and its tokens."""
    writes.add(_DROP_TOKENS, {"who": user_id, "which": device_id})
    writes.add(_DROP_DEVICE, {"who": user_id, "which": device_id})


async def find_caller(database: Database, token_hash: bytes) -> Caller | None:
    """Whose token this is; a closed account has none."""
    row = await database.fetch_one(
        select(access_tokens.c.user_id, access_tokens.c.device_id, users.c.guest, users.c.admin)
        .select_from(access_tokens.join(users, users.c.user_id == access_tokens.c.user_id))
        .where(access_tokens.c.hash == token_hash, users.c.deactivated == 0)
    )
    return None if row is None else Caller(row.user_id, row.device_id, bool(row.guest), bool(row.admin))


async def find_device(database: Database, user_id: str, device_id: str) -> Device | None:
    """One device of a user."""
    found = await _fetch(database, and_(devices.c.user_id == user_id, devices.c.device_id == device_id))
    return found[0] if found else None


async def devices_of(database: Database, user_ids: Sequence[str]) -> list[Device]:
    """All devices of these users, in the order of user id and device id."""
    return await _fetch(database, devices.c.user_id.in_(user_ids)) if user_ids else []



async def _fetch(database: Database, condition: ColumnElement[bool]) -> list[Device]:
    rows: Sequence[Any] = await database.fetch_all(
        select(devices).where(condition).order_by(devices.c.user_id, devices.c.device_id)
    )
    return [Device(row.user_id, row.device_id, row.display_name, row.created_ts) for row in rows]
