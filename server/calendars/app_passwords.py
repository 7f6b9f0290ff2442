"""Passwords for calendar apps: one a device, shown once, revocable. No other password opens the calendars.

Residents have no password of their own, and the way into the account must not lie in a calendar app's settings.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.calendars import app_password_store as store
from server.calendars.app_password_store import AppPassword
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.storage.database import Database, Writes

# 32 letters without those that look like others; 28 of them are 140 bits.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS: Final = 7
_KEPT: Final = 4096
_MAX_A_USER: Final = 40
_MAX_LABEL: Final = 100
_HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class _Known:
    password: AppPassword
    noted_ms: int


class AppPasswords:
    """Create, list, revoke, and say whose a password is. A password once seen costs no SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._revocations = 0

    async def create(self, user_id: str, label: str) -> tuple[AppPassword, str]:
        """A new password and its secret such as ``abcd-efgh-…``, which is told this once."""
        label = label.strip()
        if not label or len(label) > _MAX_LABEL:
            raise InvalidParam(f"The password needs a name of at most {_MAX_LABEL} characters")
        secret = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS))
        password = AppPassword(random_letters(12), user_id, label, self._clock.now_ms(), None)
        async with self._database.write() as tx:
            if await store.count_of(tx, user_id) >= _MAX_A_USER:
                raise InvalidParam("Remove an app password that you no longer use first")
            await store.add(tx, _hash(secret), password)
        return password, secret

    async def list(self, user_id: str) -> Sequence[AppPassword]:
        """All of a user, oldest first."""
        return await store.of_user(self._database, user_id)

    async def revoke(self, user_id: str, password_id: str) -> None:
        """Make one useless from now on; raises ``NotFound``."""
        async with self._database.write() as tx:
            if not await store.remove(tx, user_id, password_id):
                raise NotFound("There is no such app password")
            tx.after_commit.append(lambda: self._forget(user_id))

    async def revoke_all(self, user_id: str) -> None:
        """Make all of a user useless, as when the account is closed."""
        async with self._database.write() as tx:
            await store.remove_all(tx, user_id)
            tx.after_commit.append(lambda: self._forget(user_id))

    def owner_if_seen(self, secret: str) -> str | None:
        """Whose password this is, if it was used lately; no SQL."""
        known = self._known.get(_hash(secret))
        return None if known is None else known.password.user_id

    async def owner(self, secret: str) -> str | None:
        """Whose password this is; ``None`` if nobody's."""
        hashed = _hash(secret)
        known = self._known.get(hashed) or await self._load(hashed)
        if known is None:
            return None
        self._note_use(hashed, known)
        return known.password.user_id

    async def _load(self, hashed: str) -> _Known | None:
        before = self._revocations
        password = await store.find(self._database, hashed)
        if password is None:
            return None
        known = _Known(password, password.used_ms or 0)
        if before == self._revocations:
            self._known[hashed] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    def _note_use(self, hashed: str, known: _Known) -> None:
        now = self._clock.now_ms()
        if now - known.noted_ms >= _HOUR_MS:
            known.noted_ms = now
            writes = Writes()
            store.note_use(writes, hashed, now)
            # Nobody waits for this; if it fails, the database has logged it.
            self._database.submit(writes).add_done_callback(lambda done: done.exception())

    def _forget(self, user_id: str) -> None:
        self._revocations += 1
        for hashed in [key for key, known in self._known.items() if known.password.user_id == user_id]:
            del self._known[hashed]


def _hash(secret: str) -> str:
    """Hyphens, blanks and capitals do not count: people type these off a screen."""
    plain = "".join(secret.split()).replace("-", "").lower()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
