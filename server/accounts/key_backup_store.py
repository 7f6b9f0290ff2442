"""Tables ``key_backups`` and ``backed_up_keys``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

Json = dict[str, Any]

key_backups: Final = Table(
    "key_backups", metadata,
    Column("user_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("algorithm", Text, nullable=False),
    Column("auth_data", LargeBinary, nullable=False),
    Column("etag", BigInteger, nullable=False),
    Column("deleted", Integer, nullable=False),
)
backed_up_keys: Final = Table(
    "backed_up_keys", metadata,
    Column("user_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("room_id", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("first_message_index", BigInteger, nullable=False),
    Column("forwarded_count", BigInteger, nullable=False),
    Column("is_verified", Integer, nullable=False),
    Column("session_data", LargeBinary, nullable=False),
)

_SET_BACKUP: Final = upsert(key_backups)
# Spec, "Storing keys": verified beats unverified, then the earlier first message, then fewer hands in between.
_SET_KEY: Final = upsert(
    backed_up_keys,
    only_if="excluded.is_verified > backed_up_keys.is_verified OR (excluded.is_verified = backed_up_keys.is_verified"
    " AND (excluded.first_message_index < backed_up_keys.first_message_index"
    " OR (excluded.first_message_index = backed_up_keys.first_message_index"
    " AND excluded.forwarded_count < backed_up_keys.forwarded_count)))",
)


@dataclass(frozen=True, slots=True)
class Backup:
    """One version of a user's backup."""

    version: int
    algorithm: str
    auth_data: Json
    etag: int


@dataclass(frozen=True, slots=True)
class BackedUpKey:
    """One session's key, encrypted for the user alone in ``session_data``."""

    room_id: str
    session_id: str
    first_message_index: int
    forwarded_count: int
    is_verified: bool
    session_data: Json


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Which keys are meant: all of a version, those of a room, or one session's."""

    user_id: str
    version: int
    room_id: str | None = None
    session_id: str | None = None

    def condition(self) -> list[ColumnElement[bool]]:
        """As a condition on ``backed_up_keys``."""
        found = [backed_up_keys.c.user_id == self.user_id, backed_up_keys.c.version == self.version]
        if self.room_id is not None:
            found.append(backed_up_keys.c.room_id == self.room_id)
        if self.session_id is not None:
            found.append(backed_up_keys.c.session_id == self.session_id)
        return found


async def find_backup(tx: Transaction, user_id: str, version: int | None) -> Backup | None:
    """One version that is not deleted; ``None``: the latest."""
    query = select(key_backups).where(key_backups.c.user_id == user_id, key_backups.c.deleted == 0)
    if version is not None:
        query = query.where(key_backups.c.version == version)
    row = (await tx.execute(query.order_by(key_backups.c.version.desc()).limit(1))).first()
    return None if row is None else Backup(row.version, row.algorithm, orjson.loads(row.auth_data), row.etag)


async def next_version(tx: Transaction, user_id: str) -> int:
    """A number that no backup of the user has ever had."""
    query = select(func.max(key_backups.c.version)).where(key_backups.c.user_id == user_id)
    return int((await tx.execute(query)).scalar() or 0) + 1


async def set_backup(tx: Transaction, user_id: str, backup: Backup) -> None:
    """Store a version, or replace what is known of it."""
    await tx.execute(_SET_BACKUP, {
        "user_id": user_id, "version": backup.version, "algorithm": backup.algorithm,
        "auth_data": orjson.dumps(backup.auth_data), "etag": backup.etag, "deleted": 0,
    })


async def drop_backup(tx: Transaction, user_id: str, version: int) -> None:
    """Mark a version as deleted and forget its keys."""
    await tx.execute(
        update(key_backups).where(key_backups.c.user_id == user_id, key_backups.c.version == version)
        .values(deleted=1)
    )
    await drop_keys(tx, KeyPlace(user_id, version))


async def drop_backups(tx: Transaction, user_id: str) -> None:
    """Forget all versions and all keys of a user."""
    await tx.execute(delete(backed_up_keys).where(backed_up_keys.c.user_id == user_id))
    await tx.execute(delete(key_backups).where(key_backups.c.user_id == user_id))


async def set_keys(tx: Transaction, user_id: str, version: int, keys: Sequence[BackedUpKey]) -> bool:
    """Store keys where they are better than those that are there; answers whether any was."""
    done = await tx.execute(_SET_KEY, [
        {"user_id": user_id, "version": version, "room_id": key.room_id, "session_id": key.session_id,
         "first_message_index": key.first_message_index, "forwarded_count": key.forwarded_count,
         "is_verified": int(key.is_verified), "session_data": orjson.dumps(key.session_data)}
        for key in keys
    ])
    return done.rowcount != 0


async def drop_keys(tx: Transaction, place: KeyPlace) -> bool:
    """Forget keys; answers whether there were any."""
    return (await tx.execute(delete(backed_up_keys).where(*place.condition()))).rowcount != 0


async def count_keys(tx: Transaction, user_id: str, version: int) -> int:
    """How many keys a version holds."""
    query = select(func.count()).select_from(backed_up_keys).where(*KeyPlace(user_id, version).condition())
    return int((await tx.execute(query)).scalar_one())


async def keys_at(database: Database, place: KeyPlace) -> list[BackedUpKey]:
    """The keys that are meant."""
    rows = await database.fetch_all(
        select(backed_up_keys).where(*place.condition())
        .order_by(backed_up_keys.c.room_id, backed_up_keys.c.session_id)
    )
    return [
        BackedUpKey(row.room_id, row.session_id, row.first_message_index, row.forwarded_count,
                    bool(row.is_verified), orjson.loads(row.session_data))
        for row in rows
    ]
