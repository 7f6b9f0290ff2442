"""GET of the public feeds below ``/feeds/``: ``notices.atom``, ``notices.rss``, ``dates.ics``. No login, no cookie."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from aiohttp import web

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded

PREFIX: Final = "/feeds/"
# However many ask, a feed is made anew at most so often; so late may an alert stand in it.
_FRESH_MS: Final = 5_000
_MOST_ETAGS: Final = 4_000
_HEADERS: Final = {
    "Cache-Control": "public, max-age=60", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
}

Make = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is made by, and its type."""

    content_type: str
    make: Make


@dataclass(frozen=True, slots=True)
class _Made:
    body: bytes
    etag: str
    modified_s: int
    fresh_until_ms: int


class FeedDoor:
    """Answers with feeds by name, and keeps each for a moment."""

    def __init__(self, feeds: Mapping[str, Feed], clock: Clock, take_turn: Callable[[web.Request], None]) -> None:
        self._feeds = feeds
        self._clock = clock
        self._take_turn = take_turn
        self._made: dict[str, _Made] = {}
        self._making = asyncio.Lock()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler."""
        name = request.path.removeprefix(PREFIX)
        feed = self._feeds.get(name)
        if feed is None:
            return _short(404)
        if request.method not in ("GET", "HEAD"):
            return _short(405, {"Allow": "GET, HEAD"})
        try:
            self._take_turn(request)
        except LimitExceeded as refusal:
            return _short(429, {"Retry-After": str(max(1, -(-refusal.retry_after_ms // 1000)))})
        return _answer(request, feed, await self._newest(name, feed))

    async def _newest(self, name: str, feed: Feed) -> _Made:
        async with self._making:
            now, before = self._clock.now_ms(), self._made.get(name)
            if before is not None and now < before.fresh_until_ms:
                return before
            body = await feed.make()
            etag, modified_s = hashlib.sha256(body).hexdigest()[:32], now // 1000
            if before is not None:
                # A second must not have two texts: whoever asks by Last-Modified would keep the first.
                modified_s = before.modified_s if etag == before.etag else max(modified_s, before.modified_s + 1)
            self._made[name] = made = _Made(body, etag, modified_s, now + _FRESH_MS)
            return made


def _answer(request: web.Request, feed: Feed, made: _Made) -> web.Response:
    when = format_datetime(datetime.fromtimestamp(made.modified_s, UTC), usegmt=True)
    headers = {**_HEADERS, "ETag": f'"{made.etag}"', "Last-Modified": when}
    if _has_it(request, made):
        return web.Response(status=304, headers=headers)
    return web.Response(body=made.body, headers=headers, content_type=feed.content_type, charset="utf-8")


def _has_it(request: web.Request, made: _Made) -> bool:
    """RFC 9110, section 13.2.2: If-None-Match counts alone where it stands."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        names = (name.strip().removeprefix("W/") for name in known[:_MOST_ETAGS].split(","))
        return any(name in (f'"{made.etag}"', "*") for name in names)
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
        return since.timestamp() >= made.modified_s
    except (ValueError, TypeError, OverflowError):
        return False


def _short(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers={"Cache-Control": "no-store", **(headers or {})})
