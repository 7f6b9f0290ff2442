"""カレンダーをスマホに入れる: a telephone without typing, addresses that only read."""

from __future__ import annotations

import json
import logging
import plistlib
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
from aiohttp import ClientSession, encode_basic_auth

from server.association.gatherings.model import Gathering, Plan
from server.association.members.model import EVERYONE, Audience
from server.foundation.clock import TOKYO
from server.web.calendar_profile import CalendarAccount, apple_profile, davx5_link
from tests.caldav.test_tsdav import require_installed
from tests.real import require_real
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site

vobject = pytest.importorskip("vobject")

SECRET = re.compile(r"[a-z2-9]{4}(-[a-z2-9]{4}){6}")
ACCOUNT = CalendarAccount("https://sakura.example:8448", "桜町町内会", "hana=ko", "abcd-efgh")


async def test_this_telephone_gets_a_profile_with_everything_in_it(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my/calendar")
    page = await hanako.submit("/my/calendar/here", {"label": "母の電話"})
    profile = re.search(r'href="(/set-up/[^"]+/kairan.mobileconfig)"', page.html)
    assert profile
    async with ClientSession() as http, http.get(here.url + profile.group(1)) as answer:
        assert answer.content_type == "application/x-apple-aspen-config"
        assert answer.headers["Cache-Control"] == "no-store"
        payload = plistlib.loads(await answer.read())["PayloadContent"][0]
    assert await status(here, payload["CalDAVUsername"], payload["CalDAVPassword"]) == 207
    again = await hanako.get("/my/calendar")
    assert payload["CalDAVPassword"] not in again.text
    assert "母の電話" in again.text
    remove = next(form.action for form in again.read.forms if "/feeds/" not in form.action and "remove" in form.action)
    await hanako.submit(remove)
    assert await status(here, payload["CalDAVUsername"], payload["CalDAVPassword"]) == 401


async def test_another_telephone_is_set_up_by_its_camera_and_only_once(
    here: Site, log_in: LogIn, stranger: Browser
) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my/calendar")
    page = await hanako.submit("/my/calendar/other", {"label": "父の電話"})
    assert "<svg" in page.html
    link = re.search(r"/set-up/[\w-]+", page.text)
    assert link
    assert not SECRET.search((await stranger.get(link.group())).text)
    ready = await stranger.submit(link.group())
    secret = SECRET.search(ready.text)
    assert secret
    assert "Android" in ready.text
    assert await status(here, here.user("佐藤 花子")[1:].partition(":")[0], secret.group()) == 207
    assert (await stranger.get(link.group())).status == 409
    assert (await stranger.get("/set-up/nonsense")).status == 409
    assert (await stranger.get("/set-up/nonsense/kairan.mobileconfig")).status == 409
    assert (await stranger.get(link.group() + "/kairan.mobileconfig")).status == 409


def test_a_profile_names_host_port_and_owner() -> None:
    profile = plistlib.loads(apple_profile(ACCOUNT))
    payload = profile["PayloadContent"][0]
    assert (payload["CalDAVHostName"], payload["CalDAVPort"], payload["CalDAVUseSSL"]) == ("sakura.example", 8448, True)
    assert payload["CalDAVPrincipalURL"] == "/dav/principals/hana%3Dko/"
    assert payload["PayloadUUID"] != profile["PayloadUUID"]
    assert apple_profile(ACCOUNT) == apple_profile(ACCOUNT)


def test_the_link_for_davx5_carries_address_name_and_password() -> None:
    assert davx5_link(ACCOUNT) == (
        "intent://sakura.example:8448/dav/#Intent;scheme=caldavs;package=at.bitfire.davdroid;"
        "S.username=hana%3Dko;S.password=abcd-efgh;end"
    )


async def test_a_feed_is_read_without_login_until_it_is_taken_back(
    here: Site, log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hanako = await log_in("佐藤 花子")
    await announce(here, "餅つき")
    await announce(here, "2班のそうじ", Audience.blocks([here.block("2班")]))
    path = await feed_of(hanako, "Google")
    async with ClientSession() as http:
        async with http.get(here.url + path, headers={"User-Agent": "Google-Calendar-Importer"}) as answer:
            body, etag = await answer.text(), answer.headers["ETag"]
            assert answer.content_type == "text/calendar"
            assert answer.headers["Cache-Control"].startswith("private")
            assert "Set-Cookie" not in answer.headers
        assert "餅つき" in body
        assert "2班のそうじ" not in body
        async with http.get(here.url + path, headers={"If-None-Match": etag}) as answer:
            assert (answer.status, await answer.text()) == (304, "")
        await announce(here, "花見")
        async with http.get(here.url + path, headers={"If-None-Match": etag}) as answer:
            assert answer.status == 200
        for wrong, expected in ((path[:-4], 404), ("/feed/x/kairan.ics", 404), ("/feed/", 404), ("/feed", 404)):
            async with http.get(here.url + wrong) as answer:
                assert answer.status == expected, wrong
        async with http.put(here.url + path) as answer:
            assert answer.status == 405
        page = await hanako.get("/my/calendar")
        await hanako.submit(next(form.action for form in page.read.forms if "/feeds/" in form.action))
        async with http.get(here.url + path) as answer:
            assert answer.status == 404
    assert path.split("/")[2] not in caplog.text
    assert path.split("/")[2] not in (await hanako.get("/my/calendar")).text


async def test_a_feed_is_a_calendar_for_every_library_and_bounded_in_time(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    now = datetime.now(TOKYO).replace(microsecond=0)
    for title, days in (("きのう", -1), ("むかし", -200), ("らいねん", 300), ("いつか", 800)):
        await announce(here, title, start=now + timedelta(days=days))
    await announce(here, "長い名前の、予定；" * 9, start=now, rule="FREQ=WEEKLY")
    async with ClientSession() as http, http.get(here.url + await feed_of(hanako, "Google")) as answer:
        data = await answer.read()
    read = icalendar.Calendar.from_ical(data)
    titles = {str(part["SUMMARY"])[:4] for part in read.walk("VEVENT")}
    assert titles == {"きのう", "らいねん", "長い名前"}
    assert [str(zone["TZID"]) for zone in read.walk("VTIMEZONE")] == ["Asia/Tokyo"]
    assert str(read["X-WR-CALNAME"]) == "桜町町内会"
    assert len(vobject.readOne(data.decode()).vevent_list) == 3
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    told = read_by_ical_js(data)
    assert (told["name"], told["zones"]) == ("桜町町内会", ["Asia/Tokyo"])
    assert {title[:4] for title, _, _ in told["events"]} == titles
    assert [recurs for title, _, recurs in told["events"] if title.startswith("長い")] == [True]


def read_by_ical_js(data: bytes) -> dict[str, Any]:
    program, folder = require_real("node"), Path(__file__).parents[1] / "caldav/js"
    if not (folder / "node_modules/ical.js/package.json").is_file():
        require_installed("ical.js")
    ended = subprocess.run([program, folder / "ical.mjs"], input=data, capture_output=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


async def test_nobody_takes_back_the_feed_of_somebody_else_and_leaving_ends_it(here: Site, log_in: LogIn) -> None:
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    path = await feed_of(hanako, "Google")
    page = await hanako.get("/my/calendar")
    action = next(form.action for form in page.read.forms if "/feeds/" in form.action)
    await misaki.get("/my/calendar")
    proof = dict(misaki.page.form("/my/calendar/feeds").fields) if misaki.page else {}
    assert (await misaki.post(action, proof)).status == 404
    await hanako.get("/my/leave")
    await hanako.submit("/my/leave")
    async with ClientSession() as http, http.get(here.url + path) as answer:
        assert answer.status == 404


async def test_whoever_tries_addresses_has_to_wait(here: Site) -> None:
    async with ClientSession() as http:
        found = []
        for number in range(32):
            async with http.get(f"{here.url}/feed/{number}/kairan.ics") as answer:
                found.append(answer.status)
    assert found[0] == 404
    assert found[-1] == 429


async def feed_of(browser: Browser, label: str) -> str:
    await browser.get("/my/calendar")
    page = await browser.submit("/my/calendar/feeds", {"label": label})
    found = re.search(r"/feed/[\w-]+/kairan\.ics", page.text)
    assert found
    return found.group()


async def announce(
    here: Site, title: str, audience: Audience = EVERYONE, start: datetime | None = None, rule: str = ""
) -> Gathering:
    start = start or datetime.now(TOKYO).replace(microsecond=0) + timedelta(days=2)
    plan = Plan(title, start, start + timedelta(hours=1), "集会所", rule=rule)
    return await here.node.association.gatherings.announce(here.chief, plan, audience)


async def status(here: Site, user: str, secret: str) -> int:
    headers = {"Authorization": encode_basic_auth(user, secret)}
    async with ClientSession(headers=headers) as http, http.request("PROPFIND", here.url + "/dav/") as answer:
        return answer.status
