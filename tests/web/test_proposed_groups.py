"""Residents found groups: proposed on a page, approved or declined at the desk, once whoever presses the button."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
from jsonschema import Draft202012Validator

from server.assembly.common_pages import common_services
from server.association.groups.proposal import RULES, checked_wish
from server.association.members.model import Audience, Group, Purpose, Role
from server.foundation.errors import Refused
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

SCHEMA = Path(__file__).parents[2] / "docs/events/jp.kairan.group.rules.schema.json"
GO = {"name": "囲碁の会", "about": "毎週土曜日の 2時から、集会所で", "category": "hobby"}
DESK = "/desk/proposed-groups"


async def propose(browser: Browser, **changes: str) -> PageRead:
    await browser.get("/groups/new")
    return await browser.submit("/groups/new", {**GO, **changes})


def decision(page: PageRead) -> str:
    return next(form.action for form in page.read.forms if form.action.startswith(f"{DESK}/"))


async def said_in(here: Site, room_id: str | None) -> list[str]:
    room = await here.node.services.rooms.get(str(room_id))
    return [str(item.event.content.get("body", "")) for item in room.timeline]


async def test_a_resident_proposes_and_looks_after_what_an_officer_approves(
    here: Site, log_in: LogIn, chair: Browser
) -> None:
    hanako, members = await log_in("佐藤 花子"), here.node.association.members
    assert "/groups/new" in (await hanako.get("/groups")).links
    page = await propose(hanako)
    assert "囲碁の会 」の 返事を 待っています" in page.text, page.text
    assert any("つくりたい人がいます" in text for text in await said_in(here, members.hall_room(Purpose.OFFICERS)))
    assert "サークルの 申しこみ つくる・ことわる 1" in (await chair.get("/desk")).text
    page = await chair.get(DESK)
    assert "佐藤 花子" in page.text
    page = await chair.submit(decision(page), {"step": "approve"})
    assert "いまは ありません" in page.text
    (group,) = members.groups()
    assert [person.name for person in members.register.leaders_of_group(group.id)] == ["佐藤 花子"]
    page = await hanako.get("/groups")
    assert "趣味・学び" in page.text
    page = await hanako.get(f"/groups/{group.id}")
    assert GO["about"] in page.text
    assert "紹介を なおす" in page.text
    desk = await said_in(here, members.desk_room_of(here.person("佐藤 花子").id))
    assert any("「囲碁の会」ができました" in text for text in desk)
    ichiro = await log_in("鈴木 一郎")
    await ichiro.get(f"/groups/{group.id}")
    await ichiro.submit(f"/groups/{group.id}/ask")
    await hanako.get(f"/groups/{group.id}")
    page = await hanako.submit(f"/groups/{group.id}/people", {"step": "in"})
    assert "鈴木 一郎" in page.text
    assert members.group_room(group.id) in members.rooms_for(Audience.groups([group.id]))


async def test_declined_with_a_reason_and_taken_back(here: Site, log_in: LogIn, chair: Browser) -> None:
    hanako, members = await log_in("佐藤 花子"), here.node.association.members
    await propose(hanako)
    page = await chair.get(DESK)
    path = decision(page)
    assert (await chair.submit(path, {"step": "decline", "reason": " "})).status == 400
    await chair.submit(path, {"step": "decline", "reason": "集会所が あいていません"})
    desk = await said_in(here, members.desk_room_of(here.person("佐藤 花子").id))
    assert any("わけ：集会所が あいていません" in text for text in desk)
    assert not members.groups()
    await propose(hanako)
    path = decision(await chair.get(DESK))
    page = await hanako.submit("/groups/new/withdraw")
    assert "とりさげました" in page.text
    page = await chair.submit(path, {"step": "approve"})
    assert page.status == 409
    assert "佐藤 花子さんが、もう決めました" in page.text
    assert not members.groups()


async def test_two_officers_approve_at_the_same_moment_and_one_group_is_made(here: Site) -> None:
    proposals, members = common_services(here.node).proposals, here.node.association.members
    await here.add("もう一人 役員", "2班", [Role.OFFICER])
    proposal = await proposals.propose(here.user("佐藤 花子"), checked_wish(**GO))
    officers = [here.user(CHAIR), here.user("もう一人 役員")]
    results = await asyncio.gather(
        *(proposals.approve(officer, proposal.id) for officer in officers),
        proposals.decline(officers[1], proposal.id, "だめです"), return_exceptions=True,
    )
    assert len(members.groups()) == sum(isinstance(item, Group) for item in results) <= 1
    refused = [item for item in results if isinstance(item, Refused)]
    assert len(refused) == 2
    assert {item.status for item in refused} == {409}
    assert await proposals.count_waiting() == 0


async def test_what_cannot_be_is_refused_and_the_form_keeps_its_words(
    here: Site, log_in: LogIn, chair: Browser
) -> None:
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    for wrong in ({"name": ""}, {"about": ""}, {"category": "x"}, {"name": "字" * 61}, {"name": "あ、い"}):
        page = await propose(hanako, **wrong)
        assert page.status == 400, wrong
    assert ("about", GO["about"]) in page.form("/groups/new").fields
    await propose(hanako)
    assert (await propose(hanako, name="将棋の会")).status == 409
    assert (await propose(ichiro, name="囲碁の 会")).status == 409
    assert (await ichiro.get(DESK)).status == 403
    path = decision(await chair.get(DESK))
    proof = dict((await ichiro.get("/groups/new")).form("/groups/new").fields)["form_proof"]
    for step in ("approve", "decline"):
        page = await ichiro.post(path, {"form_proof": proof, "step": step, "reason": "x"})
        assert page.status == 403
    await chair.get(DESK)
    await chair.submit(path, {"step": "approve"})
    assert (await propose(ichiro)).status == 409
    assert (await chair.post(f"{DESK}/nothing", {"form_proof": proof})).status == 403


async def test_officers_say_whether_residents_may(here: Site, log_in: LogIn, chair: Browser) -> None:
    hanako = await log_in("佐藤 花子")
    await chair.get(DESK)
    await chair.submit(DESK, {"propose": "no"})
    page = await hanako.get("/groups")
    assert "窓口で 役員に 相談してください" in page.text
    page = await hanako.get("/groups/new")
    assert "いまは 受けつけていません" in page.text
    space = await here.node.services.rooms.get(here.node.association.members.hall_room(Purpose.SPACE))
    assert not list(Draft202012Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(space.content(RULES)))
    await chair.get(DESK)
    await chair.submit(DESK, {"propose": "yes"})
    assert (await propose(hanako)).status == 200
