"""Feeds: addresses of a calendar that programs read which can do no more (Google Calendar, a subscription).

Whoever knows the address reads the calendar, so it holds 160 random bits, is shown once, is kept as a hash only and can
be taken back by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from server.calendars import feed_store as store
from server.calendars.feed_store import Feed
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.storage.database import Database, Writes

_SECRET_BYTES: Final = 20
_LONGEST: Final = 100
_MAX_A_USER: Final = 20
_HOUR_MS: Final = 3_600_000


class Feeds:
    """Make, list, take back, and say whose a feed is."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, user_id: str, label: str) -> tuple[Feed, str]:
        """A new feed and the secret of its address, which is told this once."""
        label = label.strip()
        if not label or len(label) > _LONGEST:
            raise InvalidParam(f"使うところの名前を入れてください（{_LONGEST}文字まで）")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        feed = Feed(random_letters(12), user_id, label, self._clock.now_ms(), None)
        async with self._database.write() as tx:
            if await store.count_of(tx, user_id) >= _MAX_A_USER:
                raise InvalidParam("使わなくなったアドレスを、先にけしてください")
            await store.add(tx, _hash(secret), feed)
        return feed, secret

    async def list(self, user_id: str) -> Sequence[Feed]:
        """All of a user, oldest first."""
        return await store.of_user(self._database, user_id)

    async def revoke(self, user_id: str, feed_id: str) -> None:
        """Make one useless from now on; raises ``NotFound``."""
        async with self._database.write() as tx:
            if not await store.remove(tx, user_id, feed_id):
                raise NotFound("There is no such feed")

    async def owner(self, secret: str) -> str | None:
        """Whose feed this is; ``None`` if nobody's. Looked up by hash, so that timing tells nothing of the secret."""
        if not secret or len(secret) > _LONGEST:
            return None
        hashed = _hash(secret)
        feed = await store.find(self._database, hashed)
        if feed is None:
            return None
        await self._note_use(hashed, feed)
        return feed.user_id

    async def _note_use(self, hashed: str, feed: Feed) -> None:
        now = self._clock.now_ms()
        if now - (feed.used_ms or 0) >= _HOUR_MS:
            writes = Writes()
            store.note_use(writes, hashed, now)
            await asyncio.shield(self._database.submit(writes))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
