"""Blocks, households and cards at the desk: another name, another block, what is empty, what was lost."""

from __future__ import annotations

from server.association.members.invitations_store import open_invitations
from server.association.members.model import Channel, Role
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

HANAKO = "佐藤 花子"


async def test_a_block_gets_another_name_and_so_does_its_room(here: Site, chair: Browser) -> None:
    members, block = here.node.association.members, here.block("1班")
    address = f"/desk/roster/blocks/{block}"
    await chair.get(address)
    page = await chair.submit(address, {"name": "さくら班"})
    assert "保存しました" in page.text
    assert members.block(block).name == "さくら班"
    room_id = members.block_room(block)
    assert room_id is not None
    assert (await here.node.services.rooms.get(room_id)).content("m.room.name")["name"] == "さくら班"
    await chair.get(address)
    for typed, status, words in (("2班", 409, "同じ名前の班があります"), (" ", 400, "班の名前が空です")):
        page = await chair.submit(address, {"name": typed})
        assert (page.status, words in page.text) == (status, True)
        assert 'aria-invalid="true" aria-describedby="e-name" autofocus' in page.html
        assert dict(page.form(address).fields)["name"].strip() == typed.strip()
    assert here.block("さくら班")


async def test_two_officers_rename_the_same_block(here: Site, chair: Browser, log_in: LogIn) -> None:
    await here.add("担当 一", "1班", [Role.DIGITAL])
    address, other = f"/desk/roster/blocks/{here.block('1班')}", await log_in("担当 一")
    await other.get(address)
    await chair.get(address)
    await chair.submit(address, {"name": "さくら班"})
    page = await other.submit(address, {"name": "うめ班"})
    assert page.status == 412
    assert "先に なおしました" in page.text
    assert dict(page.form(address).fields)["name"] == "うめ班"
    assert "保存しました" in (await other.submit(address)).text
    assert here.block("うめ班")


async def test_a_household_moves_with_everybody_and_gets_paper(here: Site, chair: Browser) -> None:
    members, person = here.node.association.members, here.person(HANAKO)
    address = f"/desk/roster/homes/{person.household_id}"
    page = await chair.get(f"/desk/roster/blocks/{here.block('1班')}")
    assert address in page.links
    await chair.get(address)
    page = await chair.submit(address, {
        "name": "佐藤家", "number": "12", "block": here.block("2班"), "channel": Channel.PAPER.value})
    assert "保存しました" in page.text
    home = members.household(person.household_id)
    assert (home.name, home.number, home.channel) == ("佐藤家", "12", Channel.PAPER)
    assert members.block_of(person.id).id == here.block("2班")
    await chair.get(address)
    for name, value, words in (("number", "あ" * 61, "世帯番号が長すぎます"), ("channel", "x", "紙か デジタルか"),
                               ("block", "x", "見つかりません")):
        page = await chair.submit(address, {name: value})
        assert page.status in (400, 404), name
        assert words in page.text or page.status == 404
        await chair.get(address)
    assert "f-number" in (await chair.submit(address, {"number": "あ" * 61})).html


async def test_only_what_is_empty_goes(here: Site, chair: Browser) -> None:
    members, editor = here.node.association.members, here.node.association.editor
    block = await editor.add_block(here.chief, "3班")
    home = await editor.add_household(here.chief, block.id, "空家")
    full = f"/desk/roster/blocks/{block.id}/remove"
    page = await chair.get(f"/desk/roster/blocks/{block.id}")
    assert full not in [form.action for form in page.read.forms]
    page = await chair.get(f"/desk/roster/homes/{home.id}")
    assert "けしました" in (await chair.submit(f"/desk/roster/homes/{home.id}/remove")).text
    assert "けしました" in (await chair.submit(full)).text
    assert [item.name for item in members.blocks()] == ["1班", "2班"]
    proof = (await chair.get("/my")).form("/my/calendar").fields
    lived_in = f"/desk/roster/blocks/{here.block('1班')}/remove"
    assert (await chair.post(lived_in, proof)).status == 400
    assert here.block("1班")


async def test_who_keeps_no_roster_changes_no_block_and_no_household(here: Site, log_in: LogIn) -> None:
    await here.add("役員 一", "1班", [Role.OFFICER])
    home, block = here.person(HANAKO).household_id, here.block("1班")
    officer = await log_in("役員 一")
    assert "名前を 変える" not in (await officer.get(f"/desk/roster/blocks/{block}")).text
    assert (await officer.get(f"/desk/roster/homes/{home}")).status == 403
    proof = (await officer.get("/my")).form("/my/calendar").fields
    for address in (f"blocks/{block}", f"blocks/{block}/remove", f"homes/{home}", f"homes/{home}/remove"):
        assert (await officer.post(f"/desk/roster/{address}", [*proof, ("name", "x")])).status == 403, address
    assert here.block("1班")


async def test_a_lost_card_without_a_name_is_made_void_and_that_is_logged(here: Site, chair: Browser) -> None:
    lost = await here.invitations.free_card(here.chief)
    kept = await here.invitations.free_card(here.user(CHAIR))
    page = await chair.get("/desk/invitations")
    assert "作った人：機械を みている人" in page.text
    assert f"作った人：{CHAIR}" in page.text
    (card,) = [item for item in await here.invitations.list_open(here.chief) if item.created_by == here.chief]
    page = await chair.submit(f"/desk/invitations/free/{card.id}/void")
    assert "カードを 使えなくしました" in page.text
    await chair.get("/code")
    assert (await chair.submit("/code", {"code": lost.code})).status == 404
    await chair.get("/code")
    assert (await chair.submit("/code", {"code": kept.code})).status == 200
    looks = await here.node.association.members.looks(here.user(CHAIR))
    assert "招待カードを 使えなくした（名前のない 1枚）" in [look.what for look in looks]


async def test_a_persons_lost_card_is_made_void(here: Site, chair: Browser, log_in: LogIn) -> None:
    person = await here.add("渡辺 千代", "1班", account=False)
    address, void = f"/desk/roster/persons/{person.id}", f"/desk/invitations/persons/{person.id}/void"
    assert void not in [form.action for form in (await chair.get(address)).read.forms]
    await here.invitations.cards_for(here.chief, [person])
    hanako = await log_in(HANAKO)
    proof = (await hanako.get("/my")).form("/my/calendar").fields
    assert (await hanako.post(void, proof)).status == 403
    await chair.get(address)
    assert "カードを 使えなくしました" in (await chair.submit(void)).text
    assert await open_invitations(here.node.core.database, 0, person.id) == []


async def test_how_small_a_number_may_be_that_is_told_above_is_chosen(chair: Browser, log_in: LogIn) -> None:
    address = "/desk/progress/hide"
    page = await chair.get("/desk/progress")
    assert dict(page.form(address).fields)["smallest"] == "5"
    page = await chair.submit(address, {"smallest": "三", "in_safety": "2"})
    assert (page.status, 'aria-describedby="e-smallest"' in page.html) == (400, True)
    assert dict(page.form(address).fields)["smallest"] == "三"
    page = await chair.submit(address, {"smallest": "３", "in_safety": "2"})
    assert "保存しました" in page.text
    fields = dict(page.form(address).fields)
    assert (fields["smallest"], fields["in_safety"]) == ("3", "2")
    hanako = await log_in(HANAKO)
    proof = (await hanako.get("/my")).form("/my/calendar").fields
    assert (await hanako.post(address, [*proof, ("smallest", "0"), ("in_safety", "0")])).status == 403
