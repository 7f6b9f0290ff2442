"""Key backup (spec, "Server-side key backups"): room keys, encrypted by the user's clients for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from server.accounts.key_backup_store import (
    BackedUpKey,
    Backup,
    KeyPlace,
    count_keys,
    drop_backup,
    drop_backups,
    drop_keys,
    find_backup,
    keys_at,
    next_version,
    set_backup,
    set_keys,
)
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.storage.database import Database, Transaction

__all__ = ["BackedUpKey", "Backup", "BackupState", "KeyBackups", "KeyPlace"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BackupState:
    """A version, and how many keys it holds."""

    backup: Backup
    count: int


class KeyBackups:
    """Everybody's backups. Only the latest version of a user takes keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user_id: str, algorithm: str, auth_data: Json) -> int:
        """Begin a new version; answers its number."""
        async with self._database.write() as tx:
            version = await next_version(tx, user_id)
            await set_backup(tx, user_id, Backup(version, algorithm, auth_data, 0))
        return version

    async def state(self, user_id: str, version: int | None = None) -> BackupState:
        """One version, or the latest; raises ``NotFound``."""
        async with self._database.write() as tx:
            backup = await _get(tx, user_id, version)
            return BackupState(backup, await count_keys(tx, user_id, backup.version))

    async def change(self, user_id: str, version: int, algorithm: str, auth_data: Json) -> None:
        """Replace the ``auth_data`` of a version; raises ``InvalidParam`` for another algorithm."""
        async with self._database.write() as tx:
            backup = await _get(tx, user_id, version)
            if backup.algorithm != algorithm:
                raise InvalidParam("The algorithm of a backup cannot be changed")
            await set_backup(tx, user_id, replace(backup, auth_data=auth_data))

    async def delete(self, user_id: str, version: int) -> None:
        """Delete a version with its keys; raises ``NotFound``."""
        async with self._database.write() as tx:
            await _get(tx, user_id, version)
            await drop_backup(tx, user_id, version)

    async def drop_all(self, user_id: str) -> None:
        """Delete all versions of a closed account."""
        async with self._database.write() as tx:
            await drop_backups(tx, user_id)

    async def put(self, user_id: str, version: int, keys: Sequence[BackedUpKey]) -> BackupState:
        """Keep keys, where they are better than those that are there; raises ``M_WRONG_ROOM_KEYS_VERSION``."""
        async with self._database.write() as tx:
            backup = await _get(tx, user_id, version)
            await _require_latest(tx, user_id, version)
            changed = await set_keys(tx, user_id, version, keys) if keys else False
            return await _state_after(tx, user_id, backup, changed=changed)

    async def read(self, place: KeyPlace) -> list[BackedUpKey]:
        """The keys at ``place``; raises ``NotFound`` where there is no such version."""
        await self.state(place.user_id, place.version)
        return await keys_at(self._database, place)

    async def remove(self, place: KeyPlace) -> BackupState:
        """Forget the keys at ``place``; raises ``NotFound`` where there is no such version."""
        async with self._database.write() as tx:
            backup = await _get(tx, place.user_id, place.version)
            return await _state_after(tx, place.user_id, backup, changed=await drop_keys(tx, place))


async def _get(tx: Transaction, user_id: str, version: int | None) -> Backup:
    backup = await find_backup(tx, user_id, version)
    if backup is None:
        raise NotFound("There is no such key backup")
    return backup


async def _require_latest(tx: Transaction, user_id: str, version: int) -> None:
    latest = await _get(tx, user_id, None)
    if latest.version != version:
        raise Forbidden(
            "Keys go into the latest version of the backup only", code="M_WRONG_ROOM_KEYS_VERSION",
            extra={"current_version": str(latest.version)},
        )


async def _state_after(tx: Transaction, user_id: str, backup: Backup, *, changed: bool) -> BackupState:
    """With another etag, if other keys are there than before."""
    if changed:
        backup = replace(backup, etag=backup.etag + 1)
        await set_backup(tx, user_id, backup)
    return BackupState(backup, await count_keys(tx, user_id, backup.version))
