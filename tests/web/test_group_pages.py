"""Groups on the pages: asking, letting in, the folder, what the desk does."""

from __future__ import annotations

from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.pictures import photo
from tests.web.site import Site

PDF = b"%PDF-1.4\n%%EOF\n"


async def founded(chair: Browser, here: Site) -> str:
    await chair.get("/desk/groups")
    page = await chair.submit("/desk/groups", {"name": "囲碁の会", "leader": "佐藤花子", "about": "毎週土曜日"})
    assert "囲碁の会" in page.text, page.text
    (group,) = here.node.association.members.groups()
    return group.id


async def test_somebody_asks_and_the_leader_lets_them_in(here: Site, chair: Browser, log_in: LogIn) -> None:
    go = await founded(chair, here)
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    page = await ichiro.get("/groups")
    assert "毎週土曜日" in page.text
    page = await ichiro.get(f"/groups/{go}")
    assert "佐藤 花子" not in page.text
    page = await ichiro.submit(f"/groups/{go}/ask", {"words": "はじめてです"})
    assert "返事を 待っています" in page.text
    assert "返事を 待つ人 1" in (await hanako.get("/groups")).text
    page = await hanako.get(f"/groups/{go}")
    assert "はじめてです" in page.text
    page = await hanako.submit(f"/groups/{go}/people", {"step": "in"})
    assert "鈴木 一郎" in page.text
    page = await ichiro.get(f"/groups/{go}")
    assert "メンバー" in page.text
    await ichiro.submit(f"/groups/{go}/leave")
    assert "入りたいです" in (await ichiro.get(f"/groups/{go}")).text
    desk = here.node.association.members.desk_room_of(here.person("佐藤 花子").id)
    assert desk is not None
    room = await here.node.services.rooms.get(desk)
    assert any("入りたい人がいます" in str(item.event.content) for item in room.timeline)


async def test_papers_and_photos_are_for_members(here: Site, chair: Browser, log_in: LogIn) -> None:
    go = await founded(chair, here)
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    await hanako.get(f"/groups/{go}")
    page = await hanako.submit(f"/groups/{go}/files", files=[
        ("files", "議事録.pdf", "application/pdf", PDF), ("files", "a.jpg", "image/jpeg", photo())])
    assert "議事録.pdf" in page.text, page.text
    paths = [link for link in page.links if "/files/" in link]
    kinds = {(await hanako.get(path)).headers["Content-Type"] for path in paths}
    assert kinds == {"application/pdf", "image/jpeg"}
    for path in paths:
        assert (await misaki.get(path)).status == 404
    assert "議事録" not in (await misaki.get(f"/groups/{go}")).text
    await hanako.get(f"/groups/{go}")
    page = await hanako.submit(paths[0])
    assert "議事録.pdf" not in page.text
    assert (await hanako.submit(f"/groups/{go}/files", files=[])).status == 400
    await hanako.get(f"/groups/{go}")
    page = await hanako.submit(f"/groups/{go}/about", {"about": "毎週日曜日"})
    assert "毎週日曜日" in page.text


async def test_the_desk_names_leaders_and_refuses_nonsense(here: Site, chair: Browser, log_in: LogIn) -> None:
    go = await founded(chair, here)
    page = await chair.get(f"/desk/groups/{go}")
    page = await chair.submit(f"/desk/groups/{go}/leaders", {"leader": "高橋 美咲", "person": []})
    assert "高橋 美咲" in page.text
    for name in ("だれでもない", ""):
        assert (await chair.submit(f"/desk/groups/{go}/leaders", {"leader": name, "person": []})).status == 400
        page = await chair.get(f"/desk/groups/{go}")
    await chair.submit(f"/desk/groups/{go}/leaders", {"person": here.person("高橋 美咲").id})
    register = here.node.association.members.register
    assert [person.name for person in register.leaders_of_group(go)] == ["佐藤 花子"]
    await chair.get("/desk/groups")
    for wrong in ({"name": ""}, {"name": "囲碁の会"}, {"name": "将棋", "leader": "だれでもない"}):
        await chair.get("/desk/groups")
        assert (await chair.submit("/desk/groups", wrong)).status in (400, 409)
    hanako = await log_in("佐藤 花子")
    assert (await hanako.get("/desk/groups")).status == 403
    assert (await hanako.get("/groups/nothing")).status == 404


async def test_the_desk_puts_in_who_has_no_telephone_and_takes_out_who_looks_after_it(
    here: Site, chair: Browser
) -> None:
    await here.add("渡辺 千代", "1班", account=False)
    go = await founded(chair, here)
    register, people = here.node.association.members.register, f"/desk/groups/{go}/people"
    await chair.get(f"/desk/groups/{go}")
    page = await chair.submit(people, {"member": "渡辺千代", "person": []})
    assert "保存しました" in page.text
    assert {"渡辺 千代", "佐藤 花子"} == {person.name for person in register.members_of_group(go)}
    page = await chair.submit(people, {"member": "だれでもない", "person": []})
    assert (page.status, 'aria-describedby="e-member"' in page.html) == (400, True)
    await chair.get(f"/desk/groups/{go}")
    await chair.submit(people, {"person": here.person("佐藤 花子").id})
    assert [person.name for person in register.members_of_group(go)] == ["渡辺 千代"]
    assert not register.leaders_of_group(go)
    room = await here.node.services.rooms.get(here.node.association.members.group_room(go) or "")
    assert room.membership(here.user("佐藤 花子")) == "leave"


async def test_the_desk_gives_a_group_another_name_and_ends_it(here: Site, chair: Browser, log_in: LogIn) -> None:
    go = await founded(chair, here)
    members, address = here.node.association.members, f"/desk/groups/{go}"
    room = await here.node.services.rooms.get(members.group_room(go) or "")
    await chair.get(address)
    assert "保存しました" in (await chair.submit(f"{address}/name", {"name": "囲碁クラブ"})).text
    assert room.content("m.room.name")["name"] == "囲碁クラブ"
    for name in ("", "囲碁、将棋"):
        await chair.get(address)
        assert (await chair.submit(f"{address}/name", {"name": name})).status == 400
    assert members.group(go).name == "囲碁クラブ"
    hanako = await log_in("佐藤 花子")
    proof = (await hanako.get("/my")).form("/my/calendar").fields
    for verb in ("name", "people", "remove"):
        assert (await hanako.post(f"{address}/{verb}", [*proof, ("name", "x"), ("person", "x")])).status == 403, verb
    await chair.get(address)
    page = await chair.submit(f"{address}/remove")
    assert "囲碁クラブ" not in page.text
    assert not members.groups()
    assert room.membership(here.user("佐藤 花子")) == "leave"
    assert (await hanako.get(f"/groups/{go}")).status == 404
