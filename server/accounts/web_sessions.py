"""Browsers that are logged in on the node's own pages: a random cookie, kept on disk as its SHA-256 only.

They are no Matrix devices: a browser here has no keys, and must not stand in anybody's list of devices to verify. A
session ends by logging out, by another password, when the account is closed, and after 400 days without use (more
is not kept by browsers either).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from server.accounts import web_sessions_store as store
from server.accounts.users import Users
from server.accounts.users_store import User
from server.accounts.web_sessions_store import WebSession
from server.foundation.clock import Clock
from server.foundation.errors import Locked
from server.foundation.ids import random_token
from server.storage.database import Database, Writes

__all__ = ["LIFETIME_S", "WebSession", "WebSessions", "is_alive"]

LIFETIME_S: Final = 400 * 24 * 3600
_DAY_MS: Final = 24 * 3600 * 1000
_KEPT: Final = 5_000


class WebSessions:
    """Begin, find and end sessions. A cookie that is in use costs no SQL."""

    def __init__(self, database: Database, clock: Clock, users: Users) -> None:
        self._database = database
        self._clock = clock
        self._users = users
        self._known: OrderedDict[bytes, WebSession] = OrderedDict()
        self._endings = 0

    async def begin(self, user_id: str) -> str:
        """Log a browser in: the new value of its cookie.

        Raises ``NotFound`` where there is no such open account, ``Locked``.
        """
        user = await self._users.get(user_id)
        if user.is_locked:
            raise Locked
        now = self._clock.now_ms()
        token = random_token()
        session = WebSession(_hash(token), user_id, _password_mark(user), now, now)
        writes = Writes()
        store.add_web_session(writes, session)
        store.drop_web_sessions_before(writes, now - LIFETIME_S * 1000)
        await asyncio.shield(self._database.submit(writes))
        self._remember(session)
        return token

    async def find(self, token: str) -> WebSession | None:
        """The session of a cookie, or ``None``: unknown, ended, too old."""
        hashed = _hash(token)
        while True:
            endings = self._endings
            session = self._known.get(hashed) or await store.find_web_session(self._database, hashed)
            user = None if session is None else await self._users.find(session.user_id)
            if endings == self._endings:
                break
            # Something was ended while we were reading; it may have been this one.
        now = self._clock.now_ms()
        if session is None or session.seen_ts < now - LIFETIME_S * 1000:
            return None
        if user is None or user.is_deactivated or user.is_locked or _password_mark(user) != session.password_mark:
            return None
        return self._seen(session, now)

    async def end(self, token: str) -> None:
        """Log a browser out."""
        hashed = _hash(token)
        writes = Writes()
        store.drop_web_session(writes, hashed)
        writes.after_commit.append(lambda: self._forget([hashed]))
        await asyncio.shield(self._database.submit(writes))

    async def end_all(self, user_id: str) -> None:
        """Log a user out in all browsers."""
        writes = Writes()
        store.drop_web_sessions_of(writes, user_id)
        writes.after_commit.append(
            lambda: self._forget([key for key, known in self._known.items() if known.user_id == user_id])
        )
        await asyncio.shield(self._database.submit(writes))

    async def of(self, user_id: str) -> list[WebSession]:
        """The browsers in which a user is logged in, used last first."""
        user, oldest = await self._users.get(user_id), self._clock.now_ms() - LIFETIME_S * 1000
        return [session for session in await store.web_sessions_of(self._database, user_id)
                if session.seen_ts >= oldest and session.password_mark == _password_mark(user)]

    async def end_some(self, user_id: str, hashes: Collection[bytes]) -> None:
        """Log a user out in some of their browsers; nobody else's are touched."""
        own = [session.hash for session in await self.of(user_id) if session.hash in hashes]
        writes = Writes()
        for hashed in own:
            store.drop_web_session(writes, hashed)
        writes.after_commit.append(lambda: self._forget(own))
        await asyncio.shield(self._database.submit(writes))

    def _seen(self, session: WebSession, now: int) -> WebSession:
        if now - session.seen_ts >= _DAY_MS:
            session = replace(session, seen_ts=now)
            writes = Writes()
            store.note_web_session_seen(writes, session.hash, now)
            # Nobody waits for this; if it fails, the database has logged it.
            self._database.submit(writes).add_done_callback(lambda done: done.exception())
        self._remember(session)
        return session

    def _remember(self, session: WebSession) -> None:
        self._known[session.hash] = session
        self._known.move_to_end(session.hash)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _forget(self, hashes: list[bytes]) -> None:
        self._endings += 1
        for hashed in hashes:
            self._known.pop(hashed, None)


async def is_alive(database: Database, users: Users, user_id: str, session_hash: str) -> bool:
    """Whether a session, named by its hash in hex, is still somebody's: not ended, and their password as it was."""
    session = await store.find_web_session(database, bytes.fromhex(session_hash))
    user = await users.find(user_id)
    if session is None or session.user_id != user_id or user is None or user.is_deactivated or user.is_locked:
        return False
    return _password_mark(user) == session.password_mark


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _password_mark(user: User) -> bytes:
    """Changes with the password, and says nothing of it: the stored text is salted."""
    return hashlib.sha256((user.password or "").encode()).digest()[:16]
