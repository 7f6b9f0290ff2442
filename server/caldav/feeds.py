"""GET of a feed: ``/feed/<secret>/<name>.ics``. The secret in the address is the login, so no line of a log has it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from aiohttp import web

from server.caldav.authentication import AddressOf, Failures, RequireStanding
from server.caldav.call import read_etags
from server.caldav.settings import CaldavSettings
from server.calendars.actions import Calendars, Shelf
from server.calendars.feed_text import feed_text
from server.calendars.feeds import Feeds
from server.calendars.model import Kind, Window
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import LimitExceeded, Refused

PREFIX: Final = "/feed/"
_DAYS_BACK: Final = 90
_DAYS_AHEAD: Final = 400
# Whoever tries addresses: generous, since many households may come from one address.
_WRONG: Final = 30
_FORGET_S: Final = 300.0
# Who has booked what is no business of whom a feed is given to; one's own bookings stand in one's own calendar.
_LEFT_OUT: Final = ("booking-",)


class FeedDoor:
    """What everybody at the association may read, for one resident, from three months ago to a year ahead."""

    def __init__(
        self, calendars: Calendars, feeds: Feeds, clock: Clock, settings: CaldavSettings, address_of: AddressOf,
        require_standing: RequireStanding,
    ) -> None:
        self._calendars = calendars
        self._feeds = feeds
        self._clock = clock
        self._settings = settings
        self._address_of = address_of
        self._require_standing = require_standing
        self._failures = Failures(clock, _WRONG, _FORGET_S)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler; every refusal is short and the same, so that nothing can be told from it."""
        try:
            if request.method not in ("GET", "HEAD"):
                return _short(405, {"Allow": "GET, HEAD"})
            return await self._answer(request)
        except LimitExceeded as refusal:
            return _short(429, {"Retry-After": str(max(1, refusal.retry_after_ms // 1000))})
        except Refused as refusal:
            return _short(403 if refusal.status == 403 else 404)

    async def _answer(self, request: web.Request) -> web.Response:
        source = ("feed", self._address_of(request))
        self._failures.require_few(source)
        secret, _, name = request.path.removeprefix(PREFIX).partition("/")
        user_id = await self._feeds.owner(secret) if name.endswith(".ics") and "/" not in name else None
        if user_id is None:
            self._failures.count(source)
            return _short(404)
        await self._require_standing(user_id, False)
        shelves = [shelf for shelf in await self._calendars.shelves(user_id) if _is_shared(shelf)]
        etag = self._etag(user_id, shelves)
        headers = {"ETag": f'"{etag}"', "Cache-Control": "private, max-age=900", "X-Content-Type-Options": "nosniff",
                   "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        if (read_etags(request.headers.get("If-None-Match")) or frozenset()) & {etag, "*"}:
            return web.Response(status=304, headers=headers)
        body = await self._text(shelves)
        return web.Response(body=body, headers=headers, content_type="text/calendar", charset="utf-8")

    def _etag(self, user_id: str, shelves: list[Shelf]) -> str:
        """It follows from the positions of the calendars and the day, so that a 304 costs no entry."""
        parts = [user_id, f"{tokyo_time(self._clock.now_ms()):%Y%m%d}", self._name]
        parts += [f"{shelf.collection.key} {shelf.collection.revision}" for shelf in shelves]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    async def _text(self, shelves: list[Shelf]) -> bytes:
        today = tokyo_time(self._clock.now_ms()).replace(hour=0, minute=0, second=0, microsecond=0)
        first, last = today - timedelta(days=_DAYS_BACK), today + timedelta(days=_DAYS_AHEAD)
        window = Window(round(first.timestamp() * 1000), round(last.timestamp() * 1000))
        found: dict[str, bytes] = {}
        for shelf in shelves:
            # What is for two blocks stands in the calendars of both, and once here.
            for item in await shelf.backend.search(shelf.collection, window):
                found.setdefault(item.head.uid, item.data)
        return feed_text(self._name, found.values())

    @property
    def _name(self) -> str:
        return self._settings.association or "行事"


def _is_shared(shelf: Shelf) -> bool:
    if shelf.collection.key.startswith(_LEFT_OUT):
        return False
    collection = shelf.collection
    return collection.kind is Kind.SHARED and collection.component == "VEVENT" and not collection.names_people


def _short(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers={"Cache-Control": "no-store", **(headers or {})})
