"""The calendars of daily life: who has which, that their privileges tell the truth, and everybody's own."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from server.association.bookings.model import Facility, Wish
from server.association.duties.model import DutyPlan
from server.association.gatherings.answers import Answer
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, Audience
from server.foundation.clock import tokyo_time
from tests.architecture.source import ROOT
from tests.caldav.node import ics
from tests.caldav.test_audiences import App, app_of
from tests.caldav.test_bookings import titles
from tests.web.site import CHAIR, Site, site

HANAKO, MISAKI = "佐藤 花子", "高橋 美咲"
DAY = tokyo_time(int(time.time() * 1000)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=10)
LISTS = ROOT / "tests/data/garbage/template_kanazawa"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        yield found


async def filled(here: Site) -> str:
    """A hall, garbage days and a duty in 1班; answers the key of the hall's calendar."""
    life, chair, block = here.node.association.daily_life, here.user(CHAIR), here.block("1班")
    facility = await life.bookings.put_facility(chair, Facility("", "集会所"))
    await life.garbage.take_in(chair, (LISTS / "area_days.csv").read_bytes())
    await life.garbage.choose(chair, block, "片町")
    audience = Audience.blocks([block])
    order = tuple(home.id for home in life.duties.households_for(audience))
    await life.duties.arrange(chair, DutyPlan("掃除", audience, order, DAY.date()))
    return f"booking-{facility.id}"


async def keys(app: App) -> dict[str, str]:
    _, text = await app.ask("PROPFIND", "", Depth="1")
    found = re.findall(r"/dav/calendars/[^/]+/([^/<]+)/<.*?displayname>([^<]+)<", text, re.DOTALL)
    return dict(found)


async def test_who_has_which(here: Site) -> None:
    hall = await filled(here)
    hanako, misaki = await app_of(here, HANAKO), await app_of(here, MISAKI)
    assert {hall: "集会所の予約", "garbage": "ごみの日", "duties": "当番", "mine": "わたしの予定"}.items() <= (
        await keys(hanako)).items()
    assert "garbage" not in await keys(misaki)
    assert (await misaki.ask("PROPFIND", "garbage/", Depth="0"))[0] == 404
    assert await titles(hanako, "garbage") == ["びん", "燃やさないごみ", "燃やすごみ", "資源"]
    assert await titles(hanako, "duties") == ["掃除：佐藤 花子", "掃除：町田 会長", "掃除：鈴木 一郎"]
    assert await titles(hanako, "mine") == ["当番：掃除"]
    assert await titles(misaki, "duties") == await titles(misaki, "mine") == []


async def test_no_two_calendars_of_somebody_have_the_same_name(here: Site) -> None:
    await filled(here)
    names = (await keys(await app_of(here, HANAKO))).values()
    assert len(set(names)) == len(names)
    assert {"わたしの予定", "わたしの手帳"} <= set(names)


async def test_whoever_is_not_on_the_roster_has_none_of_them(here: Site) -> None:
    hall = await filled(here)
    app = await app_of(here, HANAKO)
    async with here.node.association.editor.editing() as edit:
        edit.drop_person(here.person(HANAKO).id)
    for key in (hall, "garbage", "duties", "mine", "gatherings"):
        assert (await app.ask("PROPFIND", f"{key}/", Depth="1"))[0] == 404
        assert (await app.ask("PUT", f"{key}/x.ics", ics("x", "DTSTART:20270105T010000Z", "DURATION:PT1H")))[0] == 404


@pytest.mark.parametrize("name", [CHAIR, HANAKO])
async def test_privileges_tell_the_truth_of_every_method(here: Site, name: str) -> None:
    hall = await filled(here)
    app = await app_of(here, name)
    asked = '<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>'
    for key in (hall, "garbage", "duties", "mine"):
        _, text = await app.ask("PROPFIND", f"{key}/", asked, Depth="0")
        may_write = "bind" in text
        assert may_write == (key == hall)
        moment = f"{DAY + timedelta(hours=10):%Y%m%dT%H%M%S}"
        body = ics("x", f"DTSTART;TZID=Asia/Tokyo:{moment}", "DURATION:PT1H")
        status, _ = await app.ask("PUT", f"{key}/x.ics", body)
        assert (status == 201) == may_write, (key, status)
        status, _ = await app.ask("DELETE", f"{key}/x.ics")
        assert status == (204 if may_write else 403)
        for method in ("DELETE", "MKCALENDAR"):
            assert (await app.ask(method, f"{key}/"))[0] in (403, 405)
        status, text = await app.ask("PROPPATCH", f"{key}/", (
            '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><A:calendar-color xmlns:A="http://apple.com/ns/ical/">'
            "#FF0000FF</A:calendar-color></D:prop></D:set></D:propertyupdate>"))
        assert (status, "200 OK" in text) == (207, True)
        assert (await app.ask("MOVE", f"{key}/none.ics", Destination=app.home + "personal/y.ics"))[0] in (403, 404)


async def test_an_alarm_of_ones_own_is_taken_on_what_nobody_writes(here: Site) -> None:
    await filled(here)
    app, other = await app_of(here, HANAKO), await app_of(here, CHAIR)
    _, text = await app.ask("GET", "garbage/0w.ics")
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT4H\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    status, _ = await app.ask("PUT", "garbage/0w.ics", text.replace("END:VEVENT", alarm))
    assert status == 204
    assert "VALARM" in (await app.ask("GET", "garbage/0w.ics"))[1]
    assert "VALARM" not in (await other.ask("GET", "garbage/0w.ics"))[1]


async def test_what_somebody_says_yes_to_stands_in_their_own_calendar(here: Site) -> None:
    association, app = here.node.association, await app_of(here, HANAKO)
    hall = await association.daily_life.bookings.put_facility(here.user(CHAIR), Facility("", "集会所"))
    plan = Plan("夏まつり", DAY + timedelta(hours=10), DAY + timedelta(hours=12))
    gathering = await association.gatherings.announce(here.user(CHAIR), plan, EVERYONE)
    assert await titles(app, "mine") == []
    before = await _token(app)
    await association.attendance.answer(here.user(HANAKO), gathering.id, Answer.ACCEPTED)
    assert await titles(app, "mine") == ["夏まつり"]
    after = await _token(app)
    assert gathering.name in await _changes(app, before)
    wish = Wish(hall.id, DAY + timedelta(hours=14), DAY + timedelta(hours=15), "練習")
    await association.daily_life.bookings.book(here.user(HANAKO), wish)
    assert await titles(app, "mine") == ["夏まつり", "集会所：練習"]
    await association.attendance.answer(here.user(HANAKO), gathering.id, Answer.DECLINED)
    assert await titles(app, "mine") == ["集会所：練習"]
    told = await _changes(app, after)
    assert "404" in told
    assert gathering.name in told
    assert await titles(await app_of(here, MISAKI), "mine") == []


async def _token(app: App) -> str:
    asked = '<D:propfind xmlns:D="DAV:"><D:prop><D:sync-token/></D:prop></D:propfind>'
    _, text = await app.ask("PROPFIND", "mine/", asked, Depth="0")
    return str(re.findall(r"sync-token>([^<]+)<", text)[0])


async def _changes(app: App, token: str) -> str:
    _, text = await app.ask("REPORT", "mine/", (
        f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>'
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"))
    return text
