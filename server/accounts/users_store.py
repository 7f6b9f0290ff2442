"""Tables ``users`` and ``registration_tokens``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, insert, select, update

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

users: Final = Table(
    "users", metadata,
    Column("user_id", Text, primary_key=True),
    Column("password", Text),
    Column("created_ts", BigInteger, nullable=False),
    Column("admin", Integer, nullable=False),
    Column("guest", Integer, nullable=False),
    Column("deactivated", Integer, nullable=False),
    Column("locked", Integer, nullable=False),
    Column("suspended", Integer, nullable=False),
    Column("erased", Integer, nullable=False),
)
registration_tokens: Final = Table(
    "registration_tokens", metadata,
    Column("token", Text, primary_key=True),
    Column("uses_allowed", BigInteger),
    Column("used", BigInteger, nullable=False),
    Column("expires_ts", BigInteger),
)

_INSERT_USER: Final = insert(users)
_SET_PASSWORD: Final = (
    update(users).where(users.c.user_id == bindparam("who")).values(password=bindparam("new_password"))
)
_DEACTIVATE: Final = (
    update(users).where(users.c.user_id == bindparam("who"))
    .values(password=None, deactivated=1, erased=bindparam("is_erased"))
)
_MAKE_FULL: Final = update(users).where(users.c.user_id == bindparam("who")).values(guest=0)
_HOLD: Final = (
    update(users).where(users.c.user_id == bindparam("who"))
    .values(locked=bindparam("is_locked"), suspended=bindparam("is_suspended"))
)
_FIND: Final = select(users).where(users.c.user_id == bindparam("who"))
_ANY: Final = select(users.c.user_id).limit(1)
_SET_TOKEN: Final = upsert(registration_tokens)
_USE_TOKEN: Final = (
    update(registration_tokens).where(registration_tokens.c.token == bindparam("which"))
    .values(used=registration_tokens.c.used + 1)
)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has, or had, an account here. ``password`` is a hash, or ``None`` where nobody can log in by one.

    Locked: their devices are turned away until an admin unlocks the account. Suspended: they may read and leave, not
    speak. Erased: what they said is only for those who were there.
    """

    user_id: str
    password: str | None
    created_ts: int
    is_admin: bool = False
    is_guest: bool = False
    is_deactivated: bool = False
    is_locked: bool = False
    is_suspended: bool = False
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class RegistrationToken:
    """A text that lets its holder make an account, ``uses_allowed`` times, until ``expires_ts``."""

    token: str
    uses_allowed: int | None
    used: int
    expires_ts: int | None


def add_user(writes: Writes, user: User) -> None:
    """Store a new user."""
    writes.add(_INSERT_USER, {
        "user_id": user.user_id, "password": user.password, "created_ts": user.created_ts,
        "admin": int(user.is_admin), "guest": int(user.is_guest), "deactivated": int(user.is_deactivated),
        "locked": int(user.is_locked), "suspended": int(user.is_suspended), "erased": int(user.is_erased),
    })


def set_password(writes: Writes, user_id: str, password: str) -> None:
    """Replace a password hash."""
    writes.add(_SET_PASSWORD, {"who": user_id, "new_password": password})


def deactivate_user(writes: Writes, user_id: str, *, is_erased: bool) -> None:
    """Close an account for good."""
    writes.add(_DEACTIVATE, {"who": user_id, "is_erased": int(is_erased)})


def make_full(writes: Writes, user_id: str) -> None:
    """A guest is one no more."""
    writes.add(_MAKE_FULL, {"who": user_id})


def hold_user(writes: Writes, user_id: str, *, is_locked: bool, is_suspended: bool) -> None:
    """Store what an admin has decided about an account."""
    writes.add(_HOLD, {"who": user_id, "is_locked": int(is_locked), "is_suspended": int(is_suspended)})


async def find_user(database: Database, user_id: str) -> User | None:
    """One user."""
    row = await database.fetch_one(_FIND, {"who": user_id})
    return None if row is None else _as_user(row)


async def any_user_id(database: Database) -> str | None:
    """The id of one of the users, if there are any."""
    row = await database.fetch_one(_ANY)
    return None if row is None else str(row[0])


async def all_users(database: Database) -> list[User]:
    """Everybody, in the order of their ids."""
    return [_as_user(row) for row in await database.fetch_all(select(users).order_by(users.c.user_id))]


async def erased_users(database: Database) -> list[str]:
    """Those who have asked to be forgotten."""
    return [row[0] for row in await database.fetch_all(select(users.c.user_id).where(users.c.erased == 1))]


def set_registration_token(writes: Writes, token: RegistrationToken) -> None:
    """Store a registration token, or replace it."""
    writes.add(_SET_TOKEN, {
        "token": token.token, "uses_allowed": token.uses_allowed, "used": token.used,
        "expires_ts": token.expires_ts,
    })


def use_registration_token(writes: Writes, token: str) -> None:
    """Count one more account made with ``token``."""
    writes.add(_USE_TOKEN, {"which": token})


async def find_registration_token(database: Database, token: str) -> RegistrationToken | None:
    """One registration token."""
    row = await database.fetch_one(select(registration_tokens).where(registration_tokens.c.token == token))
    return None if row is None else RegistrationToken(row.token, row.uses_allowed, row.used, row.expires_ts)


def _as_user(row: Any) -> User:
    return User(
        row.user_id, row.password, row.created_ts, is_admin=bool(row.admin), is_guest=bool(row.guest),
        is_deactivated=bool(row.deactivated), is_locked=bool(row.locked), is_suspended=bool(row.suspended),
        is_erased=bool(row.erased),
    )
