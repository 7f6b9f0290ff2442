"""Table ``app_passwords``: SHA-256 of secrets of 130 random bits and more, so that no slow hash is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, func, insert, select, update

from server.storage.database import Database, Transaction, Writes, metadata

app_passwords: Final = Table(
    "app_passwords", metadata,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)
_USED: Final = (
    update(app_passwords).where(app_passwords.c.hash == bindparam("known")).values(used_ms=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class AppPassword:
    """What may be shown of one: never the secret. Times in ms since 1970; ``used_ms`` is right to the hour."""

    id: str
    user_id: str
    label: str
    created_ms: int
    used_ms: int | None


async def add(tx: Transaction, hashed: str, password: AppPassword) -> None:
    """Store a new one."""
    await tx.execute(insert(app_passwords), {
        "hash": hashed, "id": password.id, "user_id": password.user_id, "label": password.label,
        "created_ms": password.created_ms, "used_ms": None,
    })


async def count_of(tx: Transaction, user_id: str) -> int:
    """How many a user has."""
    return int((await tx.execute(select(func.count()).where(app_passwords.c.user_id == user_id))).scalar_one())


async def find(database: Database, hashed: str) -> AppPassword | None:
    """The one with this hash."""
    row = await database.fetch_one(select(app_passwords).where(app_passwords.c.hash == hashed))
    return None if row is None else _as_password(row)


async def of_user(database: Database, user_id: str) -> Sequence[AppPassword]:
    """All of a user, oldest first."""
    rows = await database.fetch_all(
        select(app_passwords).where(app_passwords.c.user_id == user_id)
        .order_by(app_passwords.c.created_ms, app_passwords.c.id)
    )
    return [_as_password(row) for row in rows]


async def remove(tx: Transaction, user_id: str, password_id: str) -> bool:
    """Delete one; False if the user has none of that id."""
    gone = await tx.execute(
        delete(app_passwords).where(app_passwords.c.user_id == user_id, app_passwords.c.id == password_id)
    )
    return bool(gone.rowcount)


async def remove_all(tx: Transaction, user_id: str) -> None:
    """Delete all of a user."""
    await tx.execute(delete(app_passwords).where(app_passwords.c.user_id == user_id))


def note_use(writes: Writes, hashed: str, now_ms: int) -> None:
    """Store when it was last used."""
    writes.add(_USED, {"known": hashed, "now": now_ms})


def _as_password(row: Any) -> AppPassword:
    return AppPassword(row.id, row.user_id, row.label, row.created_ms, row.used_ms)
