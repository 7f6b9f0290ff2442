"""A whole node: every calendar that a member, an officer and a guest find, every method. What the privileges say
beforehand is what is answered, what is somebody else's does not exist, and nothing breaks.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from server.association.bookings.model import Wish
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, Audience
from server.calendars.app_passwords import AppPasswords
from tests.caldav.node import ics
from tests.caldav.test_audiences import App, app_of
from tests.caldav.test_daily_calendars import DAY, filled
from tests.web.site import CHAIR, Site, site

HANAKO, ICHIRO = "佐藤 花子", "鈴木 一郎"
BOXES = {"inbox", "outbox"}
OWN = {"personal", "tasks"}
DONE = {200, 201, 204}
REFUSED = {403, 404, 405, 409}
RENAME = ('<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set>'
          "</D:propertyupdate>")
REPORT = ('<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>'
          "</D:sync-collection>")
SHARED = {"gatherings", "garbage", "duties", "mine", "public", "booking", "invitations"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        await fill(found)
        yield found


async def fill(here: Site) -> None:
    """Something in every kind of calendar."""
    hall = (await filled(here)).removeprefix("booking-")
    association, chair = here.node.association, here.user(CHAIR)
    for audience in (EVERYONE, Audience.blocks([here.block("1班")])):
        plan = Plan("清掃", DAY + timedelta(hours=8), DAY + timedelta(hours=9), asks=True)
        await association.gatherings.announce(chair, plan, audience)
    wish = Wish(hall, DAY + timedelta(hours=14), DAY + timedelta(hours=15), "練習")
    await association.daily_life.bookings.book(here.user(HANAKO), wish)


async def guest(here: Site) -> App:
    """An account that is not on the roster."""
    core = here.node.core
    user_id = await here.node.accounts.create_user("kyaku", None, "客")
    _, secret = await AppPasswords(core.database, core.clock).create(user_id, "test")
    return App(here, user_id, secret)


async def calendars(app: App) -> dict[str, set[str]]:
    """Every collection by its name, with the privileges."""
    asked = '<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>'
    _, text = await app.ask("PROPFIND", "", asked, Depth="1")
    found = {}
    for part in text.split("<D:response>")[2:]:
        name = re.search(r"<D:href>[^<]*/([^/<]+)/</D:href>", part)
        assert name is not None
        found[name[1]] = set(re.findall(r"<D:privilege><\w+:([a-z-]+)/>", part))
    return found


def entry(uid: str, hour: int, component: str = "VEVENT") -> str:
    start = DAY + timedelta(hours=hour)
    return ics(uid, f"DTSTART;TZID=Asia/Tokyo:{start:%Y%m%dT%H%M%S}", "DURATION:PT1H", "SUMMARY:x", component=component)


async def first_entry(app: App, name: str) -> tuple[str, str] | None:
    """The path and the text of something in a calendar."""
    _, text = await app.ask("PROPFIND", f"{name}/", Depth="1")
    found = re.findall(r"<D:href>[^<]*/([^/<]+\.ics)</D:href>", text)
    return (f"{name}/{found[0]}", (await app.ask("GET", f"{name}/{found[0]}"))[1]) if found else None


async def tried(app: App, name: str) -> dict[str, set[int]]:
    """What every method that writes answers in one calendar, by the privilege that it needs."""
    kind = "VTODO" if name == "tasks" else "VEVENT"
    answers: dict[str, set[int]] = {"bind": set(), "write-content": set(), "unbind": set(), "write-properties": set()}

    async def ask(privilege: str, method: str, path: str, body: str = "", **headers: str) -> None:
        answers[privilege].add((await app.ask(method, path, body, **headers))[0])

    other = "personal" if kind == "VEVENT" else "tasks"
    await app.ask("PUT", f"{other}/source.ics", entry("source", 9, kind))
    there = await first_entry(app, name)
    if there is not None:
        path, text = there
        # To whom one is invited one only says whether one comes.
        changed = (text.replace("NEEDS-ACTION", "ACCEPTED") if name == "invitations" else
                   re.sub("SUMMARY:.*", "SUMMARY:x", text))
        await ask("write-content", "PUT", path, changed)
    # No calendar gives a name to two entries, also not after the first is gone.
    await ask("bind", "PUT", f"{name}/new-{name}.ics", entry(f"new-{name}", 10, kind))
    if name == "invitations":
        # A copy is put away; it is not made, and not carried off.
        assert there is not None
        await ask("unbind", "DELETE", there[0])
    else:
        await ask("unbind", "DELETE", f"{name}/new-{name}.ics")
        await app.ask("PUT", f"{name}/moving-{name}.ics", entry(f"moving-{name}", 12, kind))
        moved = f"{app.home}{other}/moved-{name}.ics"
        await ask("unbind", "MOVE", f"{name}/moving-{name}.ics", Destination=moved)
    status, text = await app.ask("PROPPATCH", f"{name}/", RENAME)
    assert status in (207, 403), (name, status)
    answers["write-properties"].add(200 if "200 OK" in text else 403)
    for method in ("MKCALENDAR", "MKCOL"):
        assert (await app.ask(method, f"{name}/"))[0] in (403, 405)
    return answers


@pytest.mark.parametrize("who", ["member", "officer", "guest"])
async def test_the_privileges_of_every_calendar_tell_the_truth(here: Site, who: str) -> None:
    app = await (guest(here) if who == "guest" else app_of(here, CHAIR if who == "officer" else HANAKO))
    found = await calendars(app)
    kinds = {name.partition("-")[0] for name in found}
    wanted = OWN if who == "guest" else OWN | (SHARED - {"public"})
    assert wanted <= kinds, wanted - kinds
    assert (who == "guest") != ("mine" in kinds)
    for name, privileges in found.items():
        if name in BOXES:
            continue
        assert "read" in privileges
        for privilege, statuses in (await tried(app, name)).items():
            expected = DONE if privilege in privileges else REFUSED
            assert statuses <= expected, (who, name, privilege, statuses)
    others = {"personal": 204} if who == "guest" else {"gatherings": 403, "mine": 403, "personal": 204}
    for name, status in others.items():
        assert (await app.ask("DELETE", f"{name}/"))[0] == status


@pytest.mark.parametrize("who", ["member", "officer", "guest"])
async def test_every_method_on_what_is_somebody_elses_finds_nothing(here: Site, who: str) -> None:
    app = await (guest(here) if who == "guest" else app_of(here, CHAIR if who == "officer" else HANAKO))
    neighbour = await app_of(here, ICHIRO)
    await neighbour.ask("PUT", "personal/there.ics", entry("there", 9))
    theirs = "../" + neighbour.home.rstrip("/").rpartition("/")[2]
    statuses = set()
    for path in ("/", "/personal/", "/personal/there.ics", "/gatherings/", "/mine/"):
        for method in ("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "GET", "PUT", "DELETE", "MKCALENDAR", "MKCOL",
                       "COPY", "MOVE"):
            there = {"Destination": f"{app.home}personal/y.ics"} if method in ("COPY", "MOVE") else {}
            body = {"PROPPATCH": RENAME, "REPORT": REPORT, "PUT": entry("z", 9)}.get(method, "")
            status, _ = await app.ask(method, theirs + path, body, Depth="0", **there)
            statuses.add(status)
    assert statuses == {404}
    assert (await neighbour.ask("GET", "personal/there.ics"))[0] == 200
