"""Calendars of blocks, groups and officers: who has which, who writes them, what stands in them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, encode_basic_auth

from server.association.gatherings.calendar import audience_of, key_of
from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, OFFICERS, Audience, Role
from server.calendars.app_passwords import AppPasswords
from server.foundation.clock import TOKYO
from tests.caldav.node import ics
from tests.web.site import CHAIR, Site, site

PLAN = Plan("清掃", datetime(2026, 12, 6, 8, tzinfo=TOKYO), datetime(2026, 12, 6, 9, tzinfo=TOKYO))
HANAKO, ICHIRO, MISAKI = "佐藤 花子", "鈴木 一郎", "高橋 美咲"


class App:
    """Somebody's calendar app."""

    def __init__(self, here: Site, user_id: str, secret: str) -> None:
        self._here = here
        name = user_id[1:].partition(":")[0]
        self._headers = {"Authorization": encode_basic_auth(name, secret)}
        self.home = f"{here.url}/dav/calendars/{name}/"

    async def ask(self, method: str, path: str, body: bytes | str = "", **headers: str) -> tuple[int, str]:
        kind = "text/calendar" if method == "PUT" else "text/xml"
        told = {**self._headers, "Content-Type": kind, **headers}
        async with ClientSession() as http, http.request(method, self.home + path, data=body, headers=told) as answer:
            return answer.status, await answer.text()

    async def calendars(self) -> dict[str, str]:
        """Shared ones, by key, with the names that people read."""
        _, text = await self.ask("PROPFIND", "", Depth="1")
        found = re.findall(r"/dav/calendars/[^/]+/(gatherings[^/]*)/<.*?displayname>([^<]+)<", text, re.DOTALL)
        return dict(found)

    async def entries(self, key: str) -> list[str]:
        _, text = await self.ask("PROPFIND", f"{key}/", Depth="1")
        return re.findall(r"([^/]+\.ics)<", text)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as found:
        yield found


async def app_of(here: Site, name: str) -> App:
    core, user_id = here.node.core, here.user(name)
    _, secret = await AppPasswords(core.database, core.clock).create(user_id, "test")
    return App(here, user_id, secret)


def block_key(here: Site, name: str) -> str:
    return key_of(Audience.blocks([here.block(name)]))


async def test_everybody_has_the_calendars_of_the_audiences_they_belong_to(here: Site) -> None:
    editor, chair = here.node.association.editor, here.user(CHAIR)
    group = await editor.add_group(chair, "子ども会")
    await editor.set_in_group(chair, group.id, here.person(HANAKO).id, inside=True)
    hanako, misaki, officer = [await app_of(here, name) for name in (HANAKO, MISAKI, CHAIR)]
    first, second = block_key(here, "1班"), block_key(here, "2班")
    everyone = {"gatherings": "桜町町内会の行事"}
    children = key_of(Audience.groups([group.id]))
    assert await hanako.calendars() == {**everyone, first: "1班の行事", children: "子ども会の行事"}
    assert await misaki.calendars() == {**everyone, second: "2班の行事"}
    assert await officer.calendars() == {**everyone, first: "1班の行事", "gatherings-officers": "役員の行事"}
    await editor.rename_group(chair, group.id, "こども会")
    assert (await hanako.calendars())[children] == "こども会の行事"
    await editor.set_in_group(chair, group.id, here.person(HANAKO).id, inside=False)
    assert children not in await hanako.calendars()
    for key in (second, children, "gatherings-officers", "gatherings-blocks-none", "gatherings-everyone"):
        assert (await hanako.ask("PROPFIND", f"{key}/", Depth="1"))[0] == 404


async def color_of(app: App, key: str) -> str:
    wanted = ('<D:propfind xmlns:D="DAV:" xmlns:A="http://apple.com/ns/ical/"><D:prop><A:calendar-color/></D:prop>'
              "</D:propfind>")
    _, text = await app.ask("PROPFIND", f"{key}/", wanted, Depth="0")
    return str(re.findall("#[0-9A-F]{8}", text)[0])


async def test_the_calendar_of_a_block_has_a_colour_of_its_own(here: Site) -> None:
    hanako = await app_of(here, HANAKO)
    assert await color_of(hanako, "gatherings") != await color_of(hanako, block_key(here, "1班"))


async def test_what_is_for_two_blocks_stands_in_the_calendars_of_both_and_nowhere_else(here: Site) -> None:
    gatherings, chair = here.node.association.gatherings, here.user(CHAIR)
    first, second = here.block("1班"), here.block("2班")
    both = await gatherings.announce(chair, PLAN, Audience.blocks([first, second]))
    one = await gatherings.announce(chair, PLAN, Audience.blocks([first]))
    hanako, misaki = await app_of(here, HANAKO), await app_of(here, MISAKI)
    assert await hanako.entries(block_key(here, "1班")) == sorted([both.name, one.name])
    assert await misaki.entries(block_key(here, "2班")) == [both.name]
    assert await hanako.entries("gatherings") == []
    assert (await misaki.ask("GET", f"{block_key(here, '2班')}/{one.name}"))[0] == 404


async def test_a_leader_writes_the_calendar_of_their_block_and_no_other(here: Site) -> None:
    editor, chair = here.node.association.editor, here.user(CHAIR)
    await editor.give_role(chair, here.person(MISAKI).id, Role.BLOCK_LEADER)
    leader, resident = await app_of(here, MISAKI), await app_of(here, HANAKO)
    start = "DTSTART;TZID=Asia/Tokyo:20261206T080000"
    own = block_key(here, "2班")
    assert (await leader.ask("PUT", f"{own}/clean.ics", ics("clean", start)))[0] == 201
    (made,) = here.node.association.gatherings.changed_since(0)
    assert made.audience == Audience.blocks([here.block("2班")])
    assert await leader.entries(own) == ["clean.ics"]
    for app, key in ((leader, "gatherings"), (leader, "gatherings-officers"), (resident, block_key(here, "1班"))):
        assert (await app.ask("PUT", f"{key}/x.ics", ics("x", start)))[0] == 403
    both = await here.node.association.gatherings.announce(
        chair, PLAN, Audience.blocks([here.block("1班"), here.block("2班")]))
    assert (await leader.ask("DELETE", f"{own}/{both.name}"))[0] == 403
    assert (await leader.ask("DELETE", f"{own}/clean.ics"))[0] == 204
    assert await leader.entries(own) == [both.name]


async def test_officers_have_a_calendar_of_their_own(here: Site) -> None:
    officer, resident = await app_of(here, CHAIR), await app_of(here, ICHIRO)
    start = "DTSTART;VALUE=DATE:20261206"
    assert (await officer.ask("PUT", "gatherings-officers/x.ics", ics("x", start)))[0] == 201
    assert await officer.entries("gatherings-officers") == ["x.ics"]
    assert (await resident.ask("GET", "gatherings-officers/x.ics"))[0] == 404
    assert "清掃" not in str(await resident.calendars())


@pytest.mark.parametrize("audience", [EVERYONE, OFFICERS, Audience.blocks(["a-b"]), Audience.groups(["c"])])
def test_a_key_says_its_audience(audience: Audience) -> None:
    assert audience_of(key_of(audience)) == audience


@pytest.mark.parametrize("key", ["", "personal", "gatherings-", "gatherings-everyone", "gatherings-blocks",
                                 "gatherings-blocks-", "gatherings-blocks-a,b", "gatheringsofficers"])  # fmt: skip
def test_other_keys_have_none(key: str) -> None:
    assert audience_of(key) is None
