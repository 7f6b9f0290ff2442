"""The public feeds of a city or a federation of associations; loaded when somebody first asks for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from federation.broadcasts.feed_door import Feed, FeedDoor
from federation.broadcasts.feed_texts import Publisher, atom, deadlines, rss
from federation.broadcasts.public import PublicNotice
from server.assembly.node import Node
from server.assembly.shared_calendars import public_calendar_of
from server.association.gatherings.calendar import as_ics
from server.association.members.model import EVERYONE
from server.calendars.feed_text import feed_text
from server.calendars.model import Window
from server.foundation.clock import tokyo_time
from server.http.late_door import Handler
from server.http.rate_limits import RateLimits

_DAYS_BACK: Final = 90
_DAYS_AHEAD: Final = 400


def open_public_feeds(node: Node, limits: RateLimits) -> Handler:
    """The handler of everything below ``/feeds/``."""
    settings = node.settings
    publisher = Publisher(
        name=settings.association.name, server=settings.server_name, url=settings.http.public_url)

    async def notices() -> list[PublicNotice]:
        return await (await node.core.late.wide_area.open()).public.latest(settings.public_feed.notices)

    async def as_atom() -> bytes:
        return atom(publisher, await notices())

    async def as_rss() -> bytes:
        return rss(publisher, await notices())

    async def dates() -> bytes:
        found = [*deadlines(publisher, await notices()), *_gatherings(node), *await _calendar(node)]
        return feed_text(publisher.name, found)

    def take_turn(request: web.Request) -> None:
        limits.requests.take(f"feeds {limits.address(request)}")

    return FeedDoor({
        "notices.atom": Feed("application/atom+xml", as_atom), "notices.rss": Feed("application/rss+xml", as_rss),
        "dates.ics": Feed("text/calendar", dates),
    }, node.core.clock, take_turn).handle


def _gatherings(node: Node) -> list[bytes]:
    """Those for everyone, where the operator has chosen so; from three months ago on."""
    if not node.settings.public_feed.gatherings:
        return []
    first = tokyo_time(node.core.clock.now_ms()).date() - timedelta(days=_DAYS_BACK)
    found = [
        item for item in node.association.gatherings.changed_since(0)
        if item.audience == EVERYONE and item.is_shown and (item.plan.rule or f"{item.plan.end:%Y-%m-%d}" >= f"{first}")
    ]
    return [as_ics(item).encode() for item in found]


async def _calendar(node: Node) -> list[bytes]:
    """The calendar that the city publishes, where one was taken in."""
    backend, now = public_calendar_of(node.core), tokyo_time(node.core.clock.now_ms())
    first, last = now - timedelta(days=_DAYS_BACK), now + timedelta(days=_DAYS_AHEAD)
    window = Window(round(first.timestamp() * 1000), round(last.timestamp() * 1000))
    return [
        item.data for collection in await backend.collections("") for item in await backend.search(collection, window)]
