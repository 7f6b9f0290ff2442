"""Password hashes: scrypt (RFC 7914) with r = 8, p = 1 and N = 2^cost, off the event loop.

What is stored says how it was made, so the cost may be changed at any time. A user who does not exist costs a
caller as much time as a wrong password.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import Final

from server.foundation.errors import InvalidParam

MAX_PASSWORD_CHARACTERS: Final = 512
_BLOCK: Final = 8
_HASH_BYTES: Final = 32
# Each takes 1 kB << cost of memory while it runs (16 MB at cost 14).
_AT_ONCE: Final = 2


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, cost: int, shortest: int = 8) -> None:
        self._cost = cost
        self._shortest = shortest
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._nobody = _stored(cost, secrets.token_bytes(16), secrets.token_bytes(_HASH_BYTES))

    def require_good(self, password: str) -> None:
        """Raise ``M_WEAK_PASSWORD`` for one that is too short to be new here, ``M_INVALID_PARAM`` for one too long."""
        if len(password) < self._shortest:
            raise InvalidParam(f"A password has at least {self._shortest} characters", code="M_WEAK_PASSWORD")
        if len(password) > MAX_PASSWORD_CHARACTERS:
            raise InvalidParam(f"The password is longer than {MAX_PASSWORD_CHARACTERS} characters")

    async def make(self, password: str) -> str:
        """The text to store for ``password``; raises as ``require_good`` does."""
        self.require_good(password)
        salt = secrets.token_bytes(16)
        return _stored(self._cost, salt, await self._scrypt(password, salt, self._cost))

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether ``password`` is the one that ``stored`` was made of. ``None`` (no such user) is never right."""
        if len(password) > MAX_PASSWORD_CHARACTERS:
            return False
        _, cost, salt, digest = (stored or self._nobody).split("$")
        found = await self._scrypt(password, base64.b64decode(salt), int(cost))
        return hmac.compare_digest(found, base64.b64decode(digest)) and stored is not None

    async def _scrypt(self, password: str, salt: bytes, cost: int) -> bytes:
        async with self._slots:
            return await asyncio.to_thread(_scrypt, password.encode("utf-8", "surrogatepass"), salt, cost)


def _scrypt(password: bytes, salt: bytes, cost: int) -> bytes:
    n = 1 << cost
    return hashlib.scrypt(
        password, salt=salt, n=n, r=_BLOCK, p=1, maxmem=129 * n * _BLOCK + (1 << 20), dklen=_HASH_BYTES
    )


def _stored(cost: int, salt: bytes, digest: bytes) -> str:
    return f"scrypt${cost}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
