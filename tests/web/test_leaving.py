"""Leaving the association: by an officer who is sure, and by oneself."""

from __future__ import annotations

import re

from aiohttp import ClientSession, encode_basic_auth

from server.calendars.app_passwords import AppPasswords
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import CHAIR, PASSWORD, Site


async def test_an_officer_erases_somebody_after_being_asked(here: Site, chair: Browser, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    person = here.person("佐藤 花子")
    page = await chair.get(f"/desk/roster/persons/{person.id}")
    assert f"/desk/roster/persons/{person.id}/erase" in page.links
    page = await chair.get(f"/desk/roster/persons/{person.id}/erase")
    assert "佐藤 花子さんを 名簿から けします" in page.text
    assert "もとに もどせません" in page.text
    page = await chair.submit(f"/desk/roster/persons/{person.id}/erase")
    assert "名簿から けしました" in page.text
    assert "佐藤 花子" not in page.text
    assert (await chair.get(f"/desk/roster/persons/{person.id}")).status == 404
    assert (await hanako.get("/my")).url.startswith("/login")
    assert (await hanako.log_in(str(person.user_id), PASSWORD)).status == 403


async def test_a_resident_leaves_and_nothing_lets_them_in_again(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    user_id = here.user("佐藤 花子")
    await hanako.get("/my")
    page = await hanako.submit("/my/calendar", {"label": "電話"})
    secret = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){6}", page.text)
    assert secret
    assert await calendar_status(here, user_id, secret.group()) == 207
    page = await hanako.get("/my")
    assert "/my/leave" in page.links
    await hanako.get("/my/leave")
    page = await hanako.submit("/my/leave")
    assert (page.url, page.status) == ("/?done=left", 200)
    assert "退会しました" in page.text
    assert (await hanako.get("/my")).url.startswith("/login")
    assert await AppPasswords(here.node.core.database, here.node.core.clock).list(user_id) == []
    assert await calendar_status(here, user_id, secret.group()) == 401
    assert [person.name for person in here.node.association.members.persons()].count("佐藤 花子") == 0


async def test_the_last_chair_stays_and_reads_where_to_go_first(here: Site, chair: Browser) -> None:
    own = here.person(CHAIR)
    for path in ("/my/leave", f"/desk/roster/persons/{own.id}/erase"):
        page = await chair.get(path)
        assert "先に次の会長をきめてください" in page.text
        assert "/desk/handover" in page.links
        assert path not in [form.action for form in page.read.forms]
    await chair.get("/my")
    page = await chair.post("/my/leave", chair.page.form("/my/calendar").fields if chair.page else [])
    assert page.status == 400
    assert here.person(CHAIR)


async def test_a_resident_erases_nobody_and_looking_erases_nobody(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    other = here.person("鈴木 一郎")
    path = f"/desk/roster/persons/{other.id}/erase"
    assert (await hanako.get(path)).status == 403
    await hanako.get("/my/leave")
    proof = hanako.page.form("/my/leave").fields if hanako.page else []
    assert (await hanako.post(path, proof)).status == 403
    assert here.person("鈴木 一郎")
    assert here.person("佐藤 花子")


async def calendar_status(here: Site, user_id: str, secret: str) -> int:
    headers = {"Authorization": encode_basic_auth(user_id[1:].partition(":")[0], secret)}
    async with ClientSession(headers=headers) as http, http.request("PROPFIND", here.url + "/dav/") as answer:
        return answer.status
