"""Facilities in calendar apps: booking, clashes, what others see; and everybody's own calendar."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from server.association.bookings.actions import Bookings, Origin
from server.association.bookings.model import Facility, Kind, Rules, State, Wish
from server.association.members.model import Role
from server.foundation.clock import TOKYO, tokyo_time
from server.rooms.send_event import Draft
from tests.caldav.node import ics, query_xml
from tests.caldav.test_audiences import App, app_of
from tests.web.browser import Browser
from tests.web.site import CHAIR, PASSWORD, Site, site

HANAKO, ICHIRO = "佐藤 花子", "鈴木 一郎"
DAY = tokyo_time(int(time.time() * 1000)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=10)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        yield found


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as found:
        yield found


def bookings_of(here: Site) -> Bookings:
    return here.node.association.daily_life.bookings


async def hall(here: Site, **rules: object) -> Facility:
    facility = Facility("", "集会所", place="桜町1-1", rules=Rules(**rules))  # type: ignore[arg-type]
    return await bookings_of(here).put_facility(here.user(CHAIR), facility)


def wish(facility: Facility, start: int, end: int, title: str = "") -> Wish:
    return Wish(facility.id, DAY + timedelta(hours=start), DAY + timedelta(hours=end), title)


def entry(uid: str, start: int, end: int, *more: str) -> str:
    moments = [f"DT{word};TZID=Asia/Tokyo:{DAY + timedelta(hours=hour):%Y%m%dT%H%M%S}"
               for word, hour in (("START", start), ("END", end))]
    return ics(uid, *moments, *more)


async def titles(app: App, key: str) -> list[str]:
    body = query_xml('<C:comp-filter name="VCALENDAR"/>', "<C:calendar-data/>")
    _, text = await app.ask("REPORT", f"{key}/", body, Depth="1")
    return sorted(re.findall(r"SUMMARY:(.*?)(?:&#13;)?\n", text))


async def test_a_booking_of_a_calendar_app_is_one_everywhere(here: Site) -> None:
    facility = await hall(here)
    key = f"booking-{facility.id}"
    hanako, ichiro = await app_of(here, HANAKO), await app_of(here, ICHIRO)
    _, text = await hanako.ask("PROPFIND", "", Depth="1")
    assert "集会所の予約" in text
    assert "わたしの予定" in text
    status, _ = await hanako.ask("PUT", f"{key}/a.ics", entry("a", 10, 12, "SUMMARY:練習", "DESCRIPTION:鍵は花子"))
    assert status == 201
    (booking,) = bookings_of(here).schedule.of_person(here.person(HANAKO).id)
    assert (booking.wish.title, booking.state, booking.name) == ("練習", State.CONFIRMED, "a.ics")
    assert await titles(hanako, key) == ["練習"]
    assert await titles(hanako, "mine") == ["集会所：練習"]
    assert await titles(ichiro, "mine") == []
    _, text = await ichiro.ask("GET", f"{key}/a.ics")
    assert "SUMMARY:練習" in text
    assert "鍵は花子" not in text
    # Only whoever has it, and officers, change it; an alarm is everybody's own.
    assert (await ichiro.ask("DELETE", f"{key}/a.ics"))[0] == 403
    assert (await ichiro.ask("PUT", f"{key}/a.ics", entry("a", 13, 14, "SUMMARY:練習")))[0] == 403
    status, _ = await hanako.ask("PUT", f"{key}/a.ics", entry("a", 13, 15, "SUMMARY:練習"))
    assert status == 204
    assert bookings_of(here).schedule.get(here.user(HANAKO), booking.id).wish.start == DAY + timedelta(hours=13)
    officer = await app_of(here, CHAIR)
    _, text = await officer.ask("GET", f"{key}/a.ics")
    assert "予約した人：佐藤 花子" in text
    assert (await officer.ask("DELETE", f"{key}/a.ics"))[0] == 204
    assert await titles(hanako, key) == await titles(hanako, "mine") == []


async def test_a_clash_is_a_403_with_a_condition_and_words_and_also_stands_in_the_desk_room(here: Site) -> None:
    facility = await hall(here)
    key = f"booking-{facility.id}"
    await bookings_of(here).book(here.user(HANAKO), wish(facility, 10, 12))
    ichiro = await app_of(here, ICHIRO)
    for _ in range(2):
        status, text = await ichiro.ask("PUT", f"{key}/b.ics", entry("b", 11, 13), **{"If-None-Match": "*"})
        assert status == 403
        assert "no-booking-conflict" in text
        assert "もう予約があります。この日に空いている時間：09:00〜10:00、12:00〜21:00" in text
    room = await here.node.services.rooms.get(str(here.node.association.members.desk_room_of(here.person(ICHIRO).id)))
    said = [str(item.event.content.get("body")) for item in room.timeline if item.event.type == "m.room.message"]
    assert sum("もう予約があります" in text for text in said) == 1
    for body, told in (
        (entry("c", 7, 8), "09:00〜21:00"), (entry("c", 12, 13, "RRULE:FREQ=WEEKLY"), "いつまでか"),
        (entry("c", 9, 19), "8時間まで"),
    ):
        status, text = await ichiro.ask("PUT", f"{key}/c.ics", body)
        assert (status, "booking-rules" in text, told in text) == (403, True, True), text
    assert (await ichiro.ask("PUT", "mine/x.ics", entry("x", 14, 15)))[0] == 403


async def test_a_series_of_a_calendar_app_is_held_as_a_whole_and_days_of_it_can_be_left_out(here: Site) -> None:
    facility, third = await hall(here), DAY + timedelta(days=14)
    key = f"booking-{facility.id}"
    hanako, ichiro = await app_of(here, HANAKO), await app_of(here, ICHIRO)
    series = ("SUMMARY:体操", "RRULE:FREQ=WEEKLY;COUNT=4")
    await bookings_of(here).book(here.user(ICHIRO), Wish(facility.id, third.replace(hour=11), third.replace(hour=12)))
    status, text = await hanako.ask("PUT", f"{key}/s.ics", entry("s", 10, 12, *series))
    assert status == 403
    assert f"{third.month}月{third.day}日" in text
    assert "no-booking-conflict" in text
    left_out = f"EXDATE;TZID=Asia/Tokyo:{third:%Y%m%d}T100000"
    assert (await hanako.ask("PUT", f"{key}/s.ics", entry("s", 10, 12, *series, left_out)))[0] == 201
    (booking,) = bookings_of(here).schedule.of_person(here.person(HANAKO).id)
    assert len(bookings_of(here).schedule.times(booking)) == 3
    for app, place in ((ichiro, f"{key}/s.ics"), (hanako, f"mine/booking-{booking.id}.ics")):
        _, text = await app.ask("GET", place)
        assert "RRULE:FREQ=WEEKLY;COUNT=4" in text
        assert left_out in text
    last = DAY + timedelta(days=21)
    again = f"EXDATE;TZID=Asia/Tokyo:{last:%Y%m%d}T100000"
    assert (await hanako.ask("PUT", f"{key}/s.ics", entry("s", 10, 12, *series, left_out, again)))[0] == 204
    assert len(bookings_of(here).schedule.times(bookings_of(here).schedule.get(here.user(HANAKO), booking.id))) == 2
    moved = entry("s", 10, 12, *series, left_out).replace("END:VEVENT", (
        f"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20260101T000000Z\r\n"
        f"RECURRENCE-ID;TZID=Asia/Tokyo:{last:%Y%m%d}T100000\r\nDTSTART;TZID=Asia/Tokyo:{last:%Y%m%d}T150000\r\n"
        "DURATION:PT1H\r\nEND:VEVENT"))
    status, text = await hanako.ask("PUT", f"{key}/s.ics", moved)
    assert (status, "一回だけの時間は変えられません" in text) == (403, True)
    assert (await hanako.ask("DELETE", f"{key}/s.ics"))[0] == 204
    assert await titles(ichiro, key) == ["予約あり"]


async def test_a_ride_is_only_busy_for_others(here: Site) -> None:
    car = await bookings_of(here).put_facility(
        here.user(CHAIR), Facility("", "送迎", Kind.RIDE, rules=Rules(shows_titles=False)))
    await bookings_of(here).book(here.user(HANAKO), wish(car, 10, 11, "通院"))
    key = f"booking-{car.id}"
    assert await titles(await app_of(here, HANAKO), key) == ["通院"]
    assert await titles(await app_of(here, ICHIRO), key) == ["予約あり"]


async def test_apps_that_were_away_hear_what_is_gone_and_what_waits_is_ones_own(here: Site) -> None:
    facility = await hall(here, asks=True)
    key, verbs = f"booking-{facility.id}", bookings_of(here)
    hanako, ichiro = await app_of(here, HANAKO), await app_of(here, ICHIRO)
    booking = await verbs.book(here.user(HANAKO), wish(facility, 10, 12, "練習"))
    await verbs.book(here.user(ICHIRO), wish(facility, 10, 12, "将棋"), origin=Origin(waits=True))
    assert await titles(ichiro, key) == ["【確認待ち】練習"]
    assert await titles(ichiro, "mine") == ["【空き待ち】集会所：将棋"]
    sync = '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>'  # noqa: E501
    tokens = {}
    for name in (key, "mine"):
        _, text = await hanako.ask("REPORT", f"{name}/", sync.format(""))
        tokens[name] = re.findall(r"sync-token>([^<]+)<", text)[0]
    await verbs.cancel(here.user(HANAKO), booking.id)
    assert await titles(ichiro, key) == ["【確認待ち】将棋"]
    for name, token in tokens.items():
        _, text = await hanako.ask("REPORT", f"{name}/", sync.format(token))
        assert text.count("404") == 1, text
        assert (booking.name if name == key else f"booking-{booking.id}.ics") in text


async def test_what_comes_from_a_day_without_times_is_the_whole_day(here: Site) -> None:
    facility = await hall(here, longest=0)
    app = await app_of(here, HANAKO)
    body = ics("d", f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}")
    assert (await app.ask("PUT", f"booking-{facility.id}/d.ics", body))[0] == 201
    (booking,) = bookings_of(here).schedule.of_person(here.person(HANAKO).id)
    assert (booking.wish.start.hour, booking.wish.end.hour) == (9, 21)


async def test_two_officers_and_fifty_residents_want_the_same_hour_by_three_ways(
    here: Site, stack: AsyncExitStack
) -> None:
    """By CalDAV, by a page and by a line in the 窓口, all at the same moment: exactly one gets it."""
    facility, members = await hall(here), here.node.association.members
    people = [CHAIR, "役員 二郎"]
    await here.add("役員 二郎", "1班", [Role.OFFICER])
    for number in range(50):
        people.append(f"住民 {number}")
        await here.add(people[-1], "2班")
    apps = {name: await app_of(here, name) for name in people[::3]}
    browsers = {name: await _logged_in(here, name, stack) for name in people[1::3]}
    for browser in browsers.values():
        await browser.get(f"/facilities/{facility.id}/day?day={DAY:%Y-%m-%d}")
    day = f"{DAY.month}月{DAY.day}日"
    before = {name: len(await _said(here, name)) for name in people}

    async def by_app(name: str) -> bool:
        uid = f"x{people.index(name)}"
        status, text = await apps[name].ask("PUT", f"booking-{facility.id}/{uid}.ics", entry(uid, 10, 11))
        assert status == 201 or (status == 403 and "もう予約があります" in text), text
        return status == 201

    async def by_page(name: str) -> bool:
        day = {"day": f"{DAY:%Y-%m-%d}", "start": "10:00", "end": "11:00"}
        page = await browsers[name].submit(f"/facilities/{facility.id}", day)
        assert ("予約ずみ" in page.text) if page.status == 200 else "もう予約があります" in page.text, page.text
        return page.status == 200

    async def by_room(name: str) -> bool:
        room_id = str(members.desk_room_of(here.person(name).id))
        content = {"msgtype": "m.text", "body": f"予約 集会所 {day} 10時〜11時"}
        await here.node.services.sender.send(Draft(room_id, here.user(name), "m.room.message", content))
        async with asyncio.timeout(120):
            while len(said := (await _said(here, name))[before[name]:]) < 2:
                await asyncio.sleep(0.02)
        assert "予約できました" in said[1] or "もう予約があります" in said[1]
        return "予約できました" in said[1]

    ways = (by_app, by_page, by_room)
    got = await asyncio.gather(*(ways[number % 3](name) for number, name in enumerate(people)))
    assert sum(got) == 1
    held = [item for item in bookings_of(here).schedule.of_facility(facility.id) if item.holds]
    assert [people[got.index(True)]] == [members.person(item.person).name for item in held]


async def _logged_in(here: Site, name: str, stack: AsyncExitStack) -> Browser:
    http = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
    browser = Browser(here.url, http)
    await browser.log_in(await here.set_password(name), PASSWORD)
    return browser


async def _said(here: Site, name: str) -> list[str]:
    room = await here.node.services.rooms.get(str(here.node.association.members.desk_room_of(here.person(name).id)))
    return [str(item.event.content["body"]) for item in room.timeline if item.event.type == "m.room.message"]


def test_the_day_of_these_tests_is_midnight_in_japan() -> None:
    assert (datetime.fromtimestamp(DAY.timestamp(), TOKYO).hour, DAY.tzinfo) == (0, TOKYO)
