"""役員交代 and the new telephone at the table, by the pages."""

from __future__ import annotations

import re

import pytest

from server.association.members.model import Role
from server.foundation.clock import tokyo_time
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

CODE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}")


async def test_the_guided_way_to_new_officers(here: Site, chair: Browser, log_in: LogIn) -> None:
    members, old, new = here.node.association.members, here.person(CHAIR), here.person("佐藤 花子")
    today = f"{tokyo_time(here.node.core.clock.now_ms()):%Y-%m-%d}"
    await chair.get("/desk/handover")
    page = await chair.submit("/desk/handover", {"day": today})
    address = page.url
    assert CHAIR in page.text
    page = await chair.submit(f"{address}/endings", {"ends": [f"{old.id}:chair"]})
    address = page.url.partition("?")[0]
    assert "保存しました" in page.text
    page = await chair.get(f"{address}?q=佐藤")
    page = await chair.submit(f"{address}/add", {"person": new.id, "role": "chair"})
    assert "佐藤 花子さんを はずす" in page.text
    page = await chair.get(f"{address}/sure")
    for words in (f"おわる人 {CHAIR}（会長）", "新しく なる人 佐藤 花子（会長）", "それからの 役員： 会長 佐藤 花子"):
        assert words in page.text
    page = await chair.submit(f"{address}/decide")
    assert page.url == "/?done=handed_over"
    assert "役員が かわりました" in page.text
    assert not members.roles_of(old.id)
    assert members.roles_of(new.id) == {Role.CHAIR}
    assert (await chair.get(address)).status == 403
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(address)
    assert "おわった人" in page.text
    page = await hanako.submit(f"{address}/sheet")
    assert page.headers["Content-Type"] == "application/pdf"
    assert page.html.startswith("%PDF")
    assert (await hanako.get("/desk/handover")).text.count("かわりました") == 1


async def test_ticks_are_kept_by_whichever_button_one_goes_on(here: Site, chair: Browser) -> None:
    old, later = here.person(CHAIR), tokyo_time(here.node.core.clock.now_ms() + 30 * 86_400_000)
    await chair.get("/desk/handover")
    address = (await chair.submit("/desk/handover", {"day": f"{later:%Y-%m-%d}"})).url
    assert "まだ だれも えらんでいません" in (await chair.submit(f"{address}/endings", {"then": "sure"})).text
    await chair.get(address)
    page = await chair.submit(f"{address}/endings", {"ends": [f"{old.id}:chair"], "q": "佐藤"})
    assert "佐藤 花子さんの 役" in page.text
    assert ("ends", f"{old.id}:chair") in page.form(f"{address}/endings").fields
    await chair.submit(f"{address}/add", {"person": here.person("佐藤 花子").id, "role": "chair"})
    page = await chair.submit(f"{address}/endings", {"then": "sure"})
    assert f"おわる人 {CHAIR}（会長）" in page.text
    await chair.submit(f"{address}/decide")
    page = await chair.get(address)
    assert "することは もう ありません" in page.text
    page = await chair.submit(f"{address}/endings", {"q": "高橋"})
    assert "高橋 美咲さんの 役" in page.text
    assert "することは もう ありません" in page.text


async def test_a_handover_without_a_next_chair_is_refused_in_plain_words(here: Site, chair: Browser) -> None:
    today = f"{tokyo_time(here.node.core.clock.now_ms()):%Y-%m-%d}"
    await chair.get("/desk/handover")
    address = (await chair.submit("/desk/handover", {"day": today})).url
    await chair.submit(f"{address}/endings", {"ends": [f"{here.person(CHAIR).id}:chair"]})
    await chair.get(f"{address}/sure")
    page = await chair.submit(f"{address}/decide")
    assert page.status == 400
    assert "会長がいなくなります" in page.text
    for name, value in (("ends", "nobody:chair"), ("ends", "x:emperor"), ("ends", "x")):
        await chair.get(address)
        assert (await chair.submit(f"{address}/endings", {name: value})).status in (400, 404)
    await chair.get(address)
    assert (await chair.submit(f"{address}/day", {"day": "2020-01-01"})).status == 400
    await chair.get(address)
    page = await chair.submit(f"{address}/cancel")
    assert "とりやめました" in page.text


async def test_who_gives_no_roles_sees_nothing_of_it(here: Site, log_in: LogIn) -> None:
    officer = here.person("鈴木 一郎")
    await here.node.association.editor.give_role(here.chief, officer.id, Role.OFFICER)
    browser = await log_in("鈴木 一郎")
    assert (await browser.get("/desk/handover")).status == 403
    assert "/desk/handover" not in (await browser.get("/desk")).links


async def test_at_the_table_somebody_is_in_again_and_an_old_telephone_is_out(
    here: Site, log_in: LogIn, stranger: Browser
) -> None:
    officer, hanako = here.person("鈴木 一郎"), here.person("佐藤 花子")
    await here.node.association.editor.give_role(here.chief, officer.id, Role.OFFICER)
    lost, desk = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    await here.node.accounts.create_session(str(hanako.user_id))
    page = await desk.get("/desk/phones?q=さとう")
    assert "見つかりません" in page.text, "they have no reading on this roster"
    page = await desk.get("/desk/phones?q=佐藤")
    assert f"/desk/phones/{hanako.id}" in page.links
    await desk.get(f"/desk/phones/{hanako.id}")
    page = await desk.submit(f"/desk/phones/{hanako.id}", {"only": "1"})
    assert "<svg" in page.html
    code = CODE.search(page.text)
    assert code
    assert "まっています" in (await desk.get("/desk/phones")).text
    assert (await lost.get("/my")).url == "/my", "until the card is used"
    await stranger.get("/code")
    await stranger.submit("/code", {"code": code.group().lower()})
    page = await stranger.submit("/come-in", {"how": "here"})
    assert "佐藤 花子さん" in page.text
    assert (await lost.get("/my")).url.startswith("/login")
    assert await here.node.accounts.sessions.devices(str(hanako.user_id)) == []
    assert "ログインしました" in (await desk.get("/desk/phones")).text
    assert any("新しい電話" in look.what for look in await here.node.association.members.looks(here.chief))
    await stranger.get("/code")
    assert (await stranger.submit("/code", {"code": code.group()})).status == 404, "once"
    room = await here.node.services.rooms.get(str(here.node.association.members.desk_room_of(hanako.id)))
    said = [entry.event.content.get("body", "") for entry in room.timeline]
    assert any("新しい電話か パソコンで ログインしました" in text for text in said)


async def test_the_old_telephone_stays_where_nothing_else_was_asked(here: Site, log_in: LogIn, chair: Browser) -> None:
    hanako, kept = here.person("佐藤 花子"), await log_in("佐藤 花子")
    await chair.get(f"/desk/phones/{hanako.id}")
    page = await chair.submit(f"/desk/phones/{hanako.id}")
    code = CODE.search(page.text)
    assert code
    await here.invitations.redeem(code.group(), "192.0.2.1")
    assert (await kept.get("/my")).url == "/my"


@pytest.mark.parametrize("role", [None, Role.BLOCK_LEADER, Role.HELPER])
async def test_who_is_no_officer_of_all_makes_no_such_card(here: Site, log_in: LogIn, role: Role | None) -> None:
    person = here.person("鈴木 一郎")
    if role is not None:
        await here.node.association.editor.give_role(here.chief, person.id, role)
    browser = await log_in("鈴木 一郎")
    assert (await browser.get("/desk/phones")).status == 403
    assert "/desk/phones" not in (await browser.get("/")).links


async def test_nobody_becomes_somebody_with_more_rights_by_a_card(here: Site, log_in: LogIn) -> None:
    person = here.person("鈴木 一郎")
    await here.node.association.editor.give_role(here.chief, person.id, Role.OFFICER)
    officer = await log_in("鈴木 一郎")
    chair = here.person(CHAIR)
    await officer.get("/my")
    assert officer.page is not None
    proof = officer.page.form("/my/calendar").fields
    assert (await officer.post(f"/desk/phones/{chair.id}", proof)).status == 403
    new = await here.add("紙田 ハル", "1班", account=False)
    await officer.get(f"/desk/phones/{new.id}")
    page = await officer.submit(f"/desk/phones/{new.id}")
    assert page.status == 400
    assert "招待カード" in page.text
