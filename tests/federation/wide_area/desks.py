"""Officers and residents of several nodes at their browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, CookieJar

from server.accounts.interactive_auth import InteractiveAuth
from server.association.members.model import Role
from server.foundation.clock import SystemClock
from tests.federation.wide_area.places import Place
from tests.web.browser import Browser
from tests.web.site import PASSWORD, Site

OFFICER = "町田 会長"


def site_of(place: Place) -> Site:
    """A place as the tests of pages see it."""
    return Site(place.node.inside, place.node.url, InteractiveAuth(SystemClock()))


@asynccontextmanager
async def officer_at(place: Place) -> AsyncIterator[Browser]:
    """The chair of a place, logged in."""
    inside = site_of(place)
    await inside.add(OFFICER, "1班", [Role.CHAIR])
    async with resident_at(inside, OFFICER) as browser:
        yield browser


@asynccontextmanager
async def resident_at(inside: Site, name: str) -> AsyncIterator[Browser]:
    """Somebody of a place, logged in."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        browser = Browser(inside.url, http)
        page = await browser.log_in(await inside.set_password(name), PASSWORD)
        assert page.url == "/", page.text
        yield browser
