"""The city's calendar: taken in from a file, read by all, written by nobody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer

from server.assembly.shared_calendars import public_calendar_of
from server.calendars.city_feed import CityFeed
from server.foundation.outgoing import Outgoing
from tests.caldav.node import ics
from tests.caldav.test_audiences import App, app_of
from tests.caldav.test_bookings import titles
from tests.web.browser import Browser, PageRead
from tests.web.site import CHAIR, PASSWORD, Site, site

HANAKO = "佐藤 花子"
LogIn = Callable[[str], Awaitable[Browser]]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        yield found


@pytest.fixture
async def log_in(here: Site) -> AsyncIterator[LogIn]:
    async with AsyncExitStack() as stack:
        async def opened(name: str) -> Browser:
            http = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
            browser = Browser(here.url, http)
            await browser.log_in(await here.set_password(name), PASSWORD)
            return browser

        yield opened


def city(*entries: str) -> bytes:
    inner = "".join(re.sub(r"(?s)^.*?(BEGIN:VEVENT.*END:VEVENT\r\n).*$", r"\1", entry) for entry in entries)
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//city//JA\r\nMETHOD:PUBLISH\r\n"
    return f"{head}{inner}END:VCALENDAR\r\n".encode()


async def taken_in(chair: Browser, data: bytes) -> PageRead:
    await chair.get("/desk/city-calendar")
    return await chair.submit("/desk/city-calendar", files=[("file", "city.ics", "text/calendar", data)])


async def token(app: App) -> str:
    _, text = await app.ask("PROPFIND", "public/", (
        '<D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>'), Depth="0")
    return str(re.findall(r"sync-token>([^<]+)<", text)[0])


async def test_a_file_of_the_city_is_everybodys_to_read_and_nobodys_to_write(here: Site, log_in: LogIn) -> None:
    chair, app = await log_in(CHAIR), await app_of(here, HANAKO)
    assert (await app.ask("PROPFIND", "public/", Depth="0"))[0] == 404
    festival = ics("f", "DTSTART;TZID=Asia/Tokyo:20270801T100000", "DURATION:PT2H", "SUMMARY:市民まつり")
    health = ics("h", "DTSTART;VALUE=DATE:20270601", "SUMMARY:健診", "RRULE:FREQ=MONTHLY;COUNT=3")
    hostile = ics("x", "DTSTART:20270601T000000Z", "SUMMARY:x", "RRULE:FREQ=SECONDLY")
    page = await taken_in(chair, city(festival, health, hostile))
    assert "2の予定を 入れました。1は 読めませんでした。" in page.text
    assert await titles(app, "public") == ["健診", "市民まつり"]
    for name in (HANAKO, CHAIR):
        other = await app_of(here, name)
        assert (await other.ask("PUT", "public/y.ics", festival))[0] == 403
    before = await token(app)
    later = festival.replace("市民まつり", "市民夏まつり")
    await taken_in(chair, city(later))
    assert await titles(app, "public") == ["市民夏まつり"]
    _, text = await app.ask("REPORT", "public/", (
        f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{before}</D:sync-token><D:sync-level>1</D:sync-level>'
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"))
    assert text.count(".ics<") == 2
    assert text.count(" 404 ") == 1


async def test_only_who_arranges_gatherings_takes_a_file_in_and_only_a_calendar(here: Site, log_in: LogIn) -> None:
    chair, hanako = await log_in(CHAIR), await log_in(HANAKO)
    assert (await hanako.get("/desk/city-calendar")).status == 403
    for data in (b"", b"no calendar", city(), b"\xff\xfe" * 10, b"BEGIN:VCALENDAR\r\n" * 3000):
        assert (await taken_in(chair, data)).status == 400


async def test_the_city_is_subscribed_to_by_its_address(here: Site, log_in: LogIn) -> None:
    core = here.node.core
    chair, app, hanako = await log_in(CHAIR), await app_of(here, HANAKO), await log_in(HANAKO)
    festival = ics("f", "DTSTART;TZID=Asia/Tokyo:20270801T100000", "DURATION:PT2H", "SUMMARY:市民まつり")
    served = [city(festival), b"<html>"]

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=served[0], headers={"ETag": '"1"'})

    site = web.Application()
    site.router.add_get("/city.ics", answer)
    async with TestServer(site, host="127.0.0.1") as city_hall:
        url = str(city_hall.make_url("/city.ics"))
        await chair.get("/desk/city-calendar")
        page = await chair.submit("/desk/city-calendar/address", {"url": url})
        assert (page.status, "このアドレスには つなげません" in page.text) == (400, True)
        door = Outgoing([ip_network("127.0.0.0/8")])
        core.closing.push_async_callback(door.close)
        core.late.city_feed = CityFeed(core.database, core.clock, door, public_calendar_of(core).take_in)
        page = await chair.submit("/desk/city-calendar/address", {"url": url})
        assert url in page.text
        assert "さいごに 読めたとき" in page.text
        assert await titles(app, "public") == ["市民まつり"]
        assert "市のカレンダー" in (await app.ask("PROPFIND", "", Depth="1"))[1]
        served.pop(0)
        page = await chair.submit("/desk/city-calendar/address", {"url": url})
        assert page.status == 400
        assert await titles(app, "public") == ["市民まつり"]
    await chair.get("/desk/city-calendar")
    page = await chair.submit("/desk/city-calendar/stop")
    assert url not in page.text
    for path in ("address", "stop"):
        assert (await hanako.post(f"/desk/city-calendar/{path}", [("url", url)])).status == 403
