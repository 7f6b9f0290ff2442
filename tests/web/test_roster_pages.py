"""The roster at the desk: looking, adding, correcting, roles, files."""

from __future__ import annotations

from server.association.members.model import Role
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, Site

CSV = "班,氏名,ふりがな\r\n3班,山本 さくら,やまもと さくら\r\n,名前だけ,\r\n1班,佐藤 花子,さとう はなこ\r\n"


async def test_an_officer_adds_somebody_and_finds_them_by_name(here: Site, chair: Browser) -> None:
    await chair.get("/desk/roster/new")
    page = await chair.submit("/desk/roster/new", {
        "name": "山本 さくら", "kana": "やまもと さくら", "new_block": "3班", "household": "山本",
    })
    assert "山本 さくら" in page.text
    assert here.person("山本 さくら")
    page = await chair.get("/desk/roster?q=やまもと")
    assert "山本 さくら" in page.text
    page = await chair.get("/desk/roster?q=だれもいない")
    assert "見つかりません" in page.text


async def test_a_form_that_is_sent_twice_adds_one_person(here: Site, chair: Browser) -> None:
    await chair.get("/desk/roster/new")
    form = chair.page
    for _ in range(2):
        chair.page = form
        await chair.submit("/desk/roster/new", {"name": "山本 さくら", "new_block": "3班"})
    assert [person.name for person in here.node.association.members.persons()].count("山本 さくら") == 1


async def test_a_person_without_a_name_is_refused_in_japanese(chair: Browser) -> None:
    await chair.get("/desk/roster/new")
    page = await chair.submit("/desk/roster/new", {"name": " ", "new_block": "3班"})
    assert page.status == 400
    assert "氏名" in page.text


async def test_a_name_is_corrected(here: Site, chair: Browser) -> None:
    person = here.person("佐藤 花子")
    await chair.get(f"/desk/roster/persons/{person.id}")
    page = await chair.submit(f"/desk/roster/persons/{person.id}", {"name": "佐藤 華子", "phone": "03-0000-0000"})
    assert "佐藤 華子" in page.text
    assert "03-0000-0000" in page.text


async def test_roles_are_given_and_taken_and_the_last_chair_stays(here: Site, chair: Browser) -> None:
    members = here.node.association.members
    person = here.person("佐藤 花子")
    await chair.get(f"/desk/roster/persons/{person.id}")
    await chair.submit(f"/desk/roster/persons/{person.id}/roles", {"role": ["officer", "block_leader"]})
    assert members.roles_of(person.id) == {Role.OFFICER, Role.BLOCK_LEADER}
    await chair.submit(f"/desk/roster/persons/{person.id}/roles", {"role": ["officer"]})
    assert members.roles_of(person.id) == {Role.OFFICER}
    own = here.person(CHAIR)
    await chair.get(f"/desk/roster/persons/{own.id}")
    page = await chair.submit(f"/desk/roster/persons/{own.id}/roles", {"role": []})
    assert page.status == 400
    assert "会長がいなくなります" in page.text


async def test_a_block_leader_sees_the_own_block_only(here: Site, log_in: LogIn) -> None:
    person = here.person("佐藤 花子")
    await here.node.association.editor.give_role(here.chief, person.id, Role.BLOCK_LEADER)
    leader = await log_in("佐藤 花子")
    page = await leader.get("/desk/roster")
    assert "1班" in page.text
    assert "2班" not in page.text
    page = await leader.get("/desk/roster?q=高橋")
    assert "高橋 美咲" not in page.text
    other = here.person("高橋 美咲")
    assert (await leader.get(f"/desk/roster/persons/{other.id}")).status == 403
    assert (await leader.get("/desk/roster/new")).status == 403


async def test_a_file_is_tried_first_and_taken_in_after_a_yes(here: Site, chair: Browser) -> None:
    await chair.get("/desk/roster/import")
    page = await chair.submit(
        "/desk/roster/import", files=[("file", "名簿.csv", "text/csv", CSV.encode("cp932"))]
    )
    assert "まだ 入れていません" in page.text
    assert "Shift_JIS" in page.text
    assert "新しい人 1人" in page.text
    assert "読めない行 1行" in page.text
    assert all(person.name != "山本 さくら" for person in here.node.association.members.persons())
    page = await chair.submit("/desk/roster/import/now")
    assert "入れました" in page.text
    assert here.person("山本 さくら")


async def test_the_same_yes_does_not_count_twice(chair: Browser) -> None:
    await chair.get("/desk/roster/import")
    page = await chair.submit("/desk/roster/import", files=[("file", "a.csv", "text/csv", CSV.encode())])
    form = chair.page
    await chair.submit("/desk/roster/import/now")
    chair.page = form
    page = await chair.submit("/desk/roster/import/now")
    assert page.status == 409


async def test_what_is_no_roster_is_refused_in_japanese(chair: Browser) -> None:
    for data in (b"PK\x03\x04xlsx", b"", b"a,b\n1,2\n", b"\x00\xff" * 50):
        await chair.get("/desk/roster/import")
        page = await chair.submit("/desk/roster/import", files=[("file", "a.csv", "text/csv", data)])
        assert page.status in (400, 413), data
        assert "見つかりません" in page.text or "Excel" in page.text or "読め" in page.text, page.text


async def test_a_file_that_is_too_large_gets_a_japanese_sentence(chair: Browser) -> None:
    await chair.get("/desk/roster/import")
    page = await chair.submit("/desk/roster/import", files=[("file", "a.csv", "text/csv", b"x" * (6 * 2**20))])
    assert page.status == 413
    assert "大きすぎます" in page.text


async def test_the_roster_as_a_file_holds_no_formula(here: Site, chair: Browser) -> None:
    await here.add("=1+1", "1班")
    await chair.get("/desk/roster")
    page = await chair.submit("/desk/roster/export")
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert "'=1+1" in page.html


async def test_every_look_at_the_roster_can_be_seen_by_residents(chair: Browser, log_in: LogIn) -> None:
    await chair.get("/desk/roster?q=佐藤")
    hanako = await log_in("佐藤 花子")
    page = await hanako.get("/my/looks")
    assert "町田 会長" in page.text
