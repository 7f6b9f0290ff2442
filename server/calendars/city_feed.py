"""The city's calendar by its address: fetched now and then through the node's one way out, kept when it is away.

What was good last stays until something good takes its place. The address is public, but is not logged: some carry a
key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Protocol
from urllib.parse import urlsplit

from server.calendars.subscription_store import (
    EVERY_MS,
    PUBLIC,
    Subscription,
    drop_subscription,
    set_subscription,
    subscription_of,
)
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, Refused
from server.foundation.outgoing import Fetched, ForbiddenAddress, TooMuch, Unreachable
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

AGAIN_MS: Final = 3_600_000
MAX_BYTES: Final = 2 * 1024 * 1024
_MAX_URL: Final = 1_000
_MAX_HEADER: Final = 500
_TIMEOUT_S: Final = 30.0
_REDIRECTS: Final = 3


class Door(Protocol):
    """``server.foundation.outgoing.Outgoing``, as far as it is needed here."""

    async def fetch(
        self, method: str, url: str, *, headers: dict[str, str], limit: int, timeout_s: float, redirects: int
    ) -> Fetched: ...


TakeIn = Callable[[bytes], Awaitable[tuple[int, int]]]
"""Puts a file in place of the one before; raises ``InvalidParam`` and leaves the old one where it is none."""


class CityFeed:
    """``subscribe``, ``unsubscribe``, and ``look_round`` again and again."""

    def __init__(self, database: Database, clock: Clock, door: Door, take_in: TakeIn) -> None:
        self._database = database
        self._clock = clock
        self._door = door
        self._take_in = take_in
        self._turn = asyncio.Lock()

    async def subscription(self) -> Subscription | None:
        """Where the calendar comes from, and how that goes."""
        return await subscription_of(self._database, PUBLIC)

    async def subscribe(self, url: str) -> None:
        """Fetch a calendar from ``url`` now and from now on; raises ``InvalidParam`` where that does not work."""
        found = Subscription(checked_url(url))
        async with self._turn:
            known = await self._fetched(found)
            if known.trouble:
                raise InvalidParam(known.trouble)
            await self._keep(known)

    async def unsubscribe(self) -> None:
        """Fetch it no more; what is there stays."""
        writes = Writes()
        drop_subscription(writes, PUBLIC)
        async with self._turn:
            await self._database.submit(writes)

    async def look_round(self) -> None:
        """Fetch it where it is time."""
        async with self._turn:
            known = await self.subscription()
            if known is not None and known.is_due(self._clock.now_ms()):
                await self._keep(await self._fetched(known))

    async def _fetched(self, known: Subscription) -> Subscription:
        """Ask for it, and take in what is new."""
        now = self._clock.now_ms()
        try:
            answer = await self._door.fetch(
                "GET", known.url, headers=_conditions(known), limit=MAX_BYTES, timeout_s=_TIMEOUT_S,
                redirects=_REDIRECTS,
            )
            if answer.status == 304 and known.good_ms:
                return replace(known, good_ms=now, next_ms=now + EVERY_MS, trouble="")
            if answer.status != 200:
                raise InvalidParam(f"カレンダーが ありませんでした（{answer.status}）")
            await self._take_in(answer.body)
        except (Unreachable, Refused) as fault:
            logger.info("the city's calendar could not be fetched: %s", type(fault).__name__)
            return replace(known, next_ms=now + AGAIN_MS, trouble=_in_words(fault))
        etag, modified = (answer.headers.get(name, "")[:_MAX_HEADER] for name in ("ETag", "Last-Modified"))
        return Subscription(known.url, etag, modified, now, now + EVERY_MS)

    async def _keep(self, known: Subscription) -> None:
        writes = Writes()
        set_subscription(writes, PUBLIC, known)
        await self._database.submit(writes)


def checked_url(text: str) -> str:
    """An address of the web; ``webcal:`` is what some sites write for it. Raises ``InvalidParam``."""
    url = text.strip()
    if url.lower().startswith("webcal://"):
        url = f"https://{url[9:]}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_good = False
    if not is_good or len(url) > _MAX_URL or not url.isprintable() or " " in url:
        raise InvalidParam("https:// で はじまる アドレスを 入れてください")
    return url


def _conditions(known: Subscription) -> dict[str, str]:
    headers = {"Accept": "text/calendar, */*;q=0.1"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.modified:
        headers["If-Modified-Since"] = known.modified
    return headers


def _in_words(fault: Unreachable | Refused) -> str:
    if isinstance(fault, Refused):
        return fault.reason
    if isinstance(fault, TooMuch):
        return "ファイルが大きすぎます"
    if isinstance(fault, ForbiddenAddress):
        return "このアドレスには つなげません"
    return "いま つながりません。アドレスを たしかめてください"
