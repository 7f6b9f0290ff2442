"""Access tokens and the tokens that renew them: how long they are good, what is kept (spec, "Refresh tokens")."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from server.accounts.sessions_store import RefreshToken, StoredToken
from server.foundation.clock import Clock
from server.foundation.errors import UnknownToken
from server.foundation.ids import random_token
from server.storage.database import Database
from server.storage.restoration_store import was_restored_since

_AFTER_RESTORE_MS: Final = 60 * 86_400_000


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long tokens are good, in ms; ``None``: until somebody logs out.

    ``renewable_ms`` is of access tokens that the client can renew, ``lasting_ms`` of those that it cannot.
    """

    renewable_ms: int | None = None
    refresh_ms: int | None = None
    lasting_ms: int | None = None


FOR_EVER: Final = Lifetimes()


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a client is given once; nowhere are these tokens kept."""

    access_token: str
    device_id: str
    refresh_token: str | None = None
    expires_in_ms: int | None = None


def new_tokens(
    device: tuple[str, str], now_ms: int, lifetimes: Lifetimes, renewable: bool, *, is_fresh: bool = False
) -> tuple[NewSession, StoredToken, RefreshToken | None]:
    """Tokens for a device: as the client gets them, and as they are kept."""
    access, refresh = random_token(), random_token() if renewable else None
    lifetime = lifetimes.renewable_ms if renewable else lifetimes.lasting_ms
    session = NewSession(access, device[1], refresh, lifetime)
    kept = None if refresh is None else RefreshToken(
        hash_of(refresh), *device, _end(now_ms, lifetimes.refresh_ms), is_fresh
    )
    token = StoredToken(
        hash_of(access), *device, _end(now_ms, lifetime), None if kept is None else kept.hash, is_fresh
    )
    return session, token, kept


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def soft_logout(reason: str) -> UnknownToken:
    """401 for a client that may keep its device's keys and log in again (spec, "Soft logout")."""
    return UnknownToken(reason, extra={"soft_logout": True})


async def unknown_token(database: Database, clock: Clock, reason: str) -> UnknownToken:
    """401 for a token that nobody knows; a soft logout for some weeks after the node came back from a backup: the
    token may be of the time that is lost, and its device shall keep its keys.
    """
    was_lost = await was_restored_since(database, clock.now_ms() - _AFTER_RESTORE_MS)
    return soft_logout(reason) if was_lost else UnknownToken(reason)


def _end(now_ms: int, lifetime_ms: int | None) -> int | None:
    return None if lifetime_ms is None else now_ms + lifetime_ms
