"""Tables ``devices``, ``access_tokens`` and ``refresh_tokens``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from server.accounts.users_store import users
from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

devices: Final = Table(
    "devices", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("display_name", Text),
    Column("created_ts", BigInteger, nullable=False),
    Column("last_seen_ts", BigInteger),
    Column("last_seen_ip", Text),
)
access_tokens: Final = Table(
    "access_tokens", metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("expires_ts", BigInteger),
    Column("refresh_hash", LargeBinary),
    Column("fresh", Integer, nullable=False),
)
refresh_tokens: Final = Table(
    "refresh_tokens", metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("expires_ts", BigInteger),
    Column("fresh", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One login of a user, until it is logged out. Where and when it was seen last is right to some minutes."""

    user_id: str
    device_id: str
    display_name: str | None
    created_ts: int
    last_seen_ts: int | None = None
    last_seen_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and from which device.

    ``expires_ts`` (ms) is the end of the token. ``owes_consent``: a text of the association waits for a yes.
    ``service`` is the id of an application service that acts as the user; no limits hold where ``is_unlimited``.
    """

    user_id: str
    device_id: str
    is_guest: bool
    is_admin: bool
    is_locked: bool = False
    is_suspended: bool = False
    owes_consent: bool = False
    expires_ts: int | None = None
    service: str | None = None
    is_unlimited: bool = False


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An access token as it is kept. ``refresh_hash`` is that of the token that renews it.

    ``is_fresh``: given out by a renewal and not used yet.
    """

    hash: bytes
    user_id: str
    device_id: str
    expires_ts: int | None = None
    refresh_hash: bytes | None = None
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token that only gives new ones."""

    hash: bytes
    user_id: str
    device_id: str
    expires_ts: int | None
    is_fresh: bool = False


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
_ADD_REFRESH_TOKEN: Final = insert(refresh_tokens)
_DROP_OTHER_REFRESH_TOKENS: Final = delete(refresh_tokens).where(
    refresh_tokens.c.user_id == bindparam("who"), refresh_tokens.c.device_id == bindparam("which"),
    refresh_tokens.c.hash != bindparam("kept"),
)
_DROP_REFRESH_TOKENS: Final = delete(refresh_tokens).where(
    refresh_tokens.c.user_id == bindparam("who"), refresh_tokens.c.device_id == bindparam("which")
)
_SETTLE_TOKEN: Final = (
    update(access_tokens).where(access_tokens.c.hash == bindparam("which_hash")).values(fresh=0)
)
_SETTLE_REFRESH_TOKEN: Final = (
    update(refresh_tokens).where(refresh_tokens.c.hash == bindparam("which_hash")).values(fresh=0)
)
_DROP_DEVICE: Final = delete(devices).where(
    devices.c.user_id == bindparam("who"), devices.c.device_id == bindparam("which")
)
_SEEN: Final = (
    update(devices).where(devices.c.user_id == bindparam("who"), devices.c.device_id == bindparam("which"))
    .values(last_seen_ts=bindparam("seen_ts"), last_seen_ip=bindparam("seen_ip"))
)
_NO_HASH: Final = b""
# Asked with the first request of every device: put together once.
_FIND_TOKEN: Final = (
    select(access_tokens, users.c.guest, users.c.admin, users.c.locked, users.c.suspended)
    .select_from(access_tokens.join(users, users.c.user_id == access_tokens.c.user_id))
    .where(access_tokens.c.hash == bindparam("which"), users.c.deactivated == 0)
)


def add_device(writes: Writes, device: Device) -> None:
    """Store a device; one that is known stays as it is."""
    writes.add(_ADD_DEVICE, {
        "user_id": device.user_id, "device_id": device.device_id, "display_name": device.display_name,
        "created_ts": device.created_ts, "last_seen_ts": None, "last_seen_ip": None,
    })


def add_session(writes: Writes, device: Device, token: StoredToken, refresh: RefreshToken | None) -> None:
    """Store a device (one that is known keeps its name) and its only tokens."""
    add_device(writes, device)
    writes.add(_ADD_TOKEN, _token_row(token, device.created_ts))
    owner = {"who": device.user_id, "which": device.device_id}
    writes.add(_DROP_OTHER_TOKENS, {**owner, "kept": token.hash})
    if refresh is not None:
        writes.add(_ADD_REFRESH_TOKEN, _refresh_row(refresh))
    writes.add(_DROP_OTHER_REFRESH_TOKENS, {**owner, "kept": _NO_HASH if refresh is None else refresh.hash})


async def add_renewal(tx: Transaction, token: StoredToken, refresh: RefreshToken, now_ms: int) -> None:
    """Store the tokens of a renewal, beside those that they come from."""
    await tx.execute(_ADD_TOKEN, _token_row(token, now_ms))
    await tx.execute(_ADD_REFRESH_TOKEN, _refresh_row(refresh))


async def settle(tx: Transaction, device: tuple[str, str], token: bytes | None, refresh: bytes | None) -> None:
    """The tokens with these hashes are in use: all others of their device end."""
    owner = {"who": device[0], "which": device[1]}
    await tx.execute(_DROP_OTHER_TOKENS, {**owner, "kept": token or _NO_HASH})
    await tx.execute(_DROP_OTHER_REFRESH_TOKENS, {**owner, "kept": refresh or _NO_HASH})
    await tx.execute(_SETTLE_TOKEN, {"which_hash": token or _NO_HASH})
    await tx.execute(_SETTLE_REFRESH_TOKEN, {"which_hash": refresh or _NO_HASH})


def rename_device(writes: Writes, user_id: str, device_id: str, name: str | None) -> None:
    """Store another display name."""
    writes.add(_RENAME, {"who": user_id, "which": device_id, "new_name": name})


def note_seen(writes: Writes, user_id: str, device_id: str, seen_ts: int, seen_ip: str) -> None:
    """Store when and from where a device was last here."""
    writes.add(_SEEN, {"who": user_id, "which": device_id, "seen_ts": seen_ts, "seen_ip": seen_ip})


def drop_device(writes: Writes, user_id: str, device_id: str) -> None:
    """Forget a device and its tokens."""
    for statement in (_DROP_TOKENS, _DROP_REFRESH_TOKENS, _DROP_DEVICE):
        writes.add(statement, {"who": user_id, "which": device_id})


async def find_token(database: Database, token_hash: bytes) -> tuple[StoredToken, Caller] | None:
    """An access token and whose it is; a closed account has none."""
    row = await database.fetch_one(_FIND_TOKEN, {"which": token_hash})
    if row is None:
        return None
    caller = Caller(
        row.user_id, row.device_id, bool(row.guest), bool(row.admin), is_locked=bool(row.locked),
        is_suspended=bool(row.suspended), expires_ts=row.expires_ts,
    )
    return _as_token(row), caller


async def find_refresh_token(tx: Transaction, token_hash: bytes) -> RefreshToken | None:
    """A refresh token."""
    row = (await tx.execute(select(refresh_tokens).where(refresh_tokens.c.hash == token_hash))).first()
    return None if row is None else RefreshToken(
        bytes(row.hash), row.user_id, row.device_id, row.expires_ts, is_fresh=bool(row.fresh)
    )


async def refresh_token_owner(database: Database, token_hash: bytes) -> str | None:
    """Whose refresh token this is."""
    row = await database.fetch_one(select(refresh_tokens.c.user_id).where(refresh_tokens.c.hash == token_hash))
    return None if row is None else str(row[0])


async def token_renewed_by(tx: Transaction, refresh_hash: bytes) -> bytes | None:
    """The hash of the access token that a refresh token was given out with."""
    row = (await tx.execute(select(access_tokens.c.hash).where(access_tokens.c.refresh_hash == refresh_hash))).first()
    return None if row is None else bytes(row[0])


async def find_device(database: Database, user_id: str, device_id: str) -> Device | None:
    """One device of a user."""
    found = await _fetch(database, and_(devices.c.user_id == user_id, devices.c.device_id == device_id))
    return found[0] if found else None


async def device_exists(tx: Transaction, user_id: str, device_id: str) -> bool:
    """Whether the user has that device, as seen inside a transaction."""
    mine = and_(devices.c.user_id == user_id, devices.c.device_id == device_id)
    return (await tx.execute(select(devices.c.device_id).where(mine))).first() is not None


async def devices_of(database: Database, user_ids: Sequence[str]) -> list[Device]:
    """All devices of these users, in the order of user id and device id."""
    return await _fetch(database, devices.c.user_id.in_(user_ids)) if user_ids else []


async def users_seen_since(database: Database, ts: int) -> set[str]:
    """Who was here with a device since ``ts`` (ms); right to a few minutes."""
    seen = func.coalesce(devices.c.last_seen_ts, devices.c.created_ts)
    rows = await database.fetch_all(select(devices.c.user_id).where(seen >= ts).distinct())
    return {str(row[0]) for row in rows}


async def _fetch(database: Database, condition: ColumnElement[bool]) -> list[Device]:
    rows: Sequence[Any] = await database.fetch_all(
        select(devices).where(condition).order_by(devices.c.user_id, devices.c.device_id)
    )
    return [
        Device(row.user_id, row.device_id, row.display_name, row.created_ts, row.last_seen_ts, row.last_seen_ip)
        for row in rows
    ]


def _as_token(row: Any) -> StoredToken:
    refresh_hash = None if row.refresh_hash is None else bytes(row.refresh_hash)
    return StoredToken(
        bytes(row.hash), row.user_id, row.device_id, row.expires_ts, refresh_hash, is_fresh=bool(row.fresh)
    )


def _token_row(token: StoredToken, now_ms: int) -> dict[str, Any]:
    return {
        "hash": token.hash, "user_id": token.user_id, "device_id": token.device_id, "created_ts": now_ms,
        "expires_ts": token.expires_ts, "refresh_hash": token.refresh_hash, "fresh": int(token.is_fresh),
    }


def _refresh_row(token: RefreshToken) -> dict[str, Any]:
    return {
        "hash": token.hash, "user_id": token.user_id, "device_id": token.device_id, "expires_ts": token.expires_ts,
        "fresh": int(token.is_fresh),
    }
