"""My page: how circulars come, calendars, passwords for clients."""

from __future__ import annotations

import re

import pytest
from aiohttp import ClientSession, encode_basic_auth

from server.association.members.model import Channel
from server.foundation.errors import Refused
from server.storage.faults import StorageBusy, StorageFull
from tests.web.conftest import LogIn
from tests.web.site import Site


async def test_a_household_chooses_paper_or_screen(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my")
    page = await hanako.submit("/my/channel", {"channel": "paper"})
    assert "保存しました" in page.text
    home = here.node.association.members.household(here.person("佐藤 花子").household_id)
    assert home.channel is Channel.PAPER
    assert (await hanako.submit("/my/channel", {"channel": "pigeon"})).status == 400


async def test_a_calendar_password_is_shown_once_works_and_can_be_removed(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my")
    page = await hanako.submit("/my/calendar", {"label": "母の電話"})
    secret = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){6}", page.text)
    assert secret
    user = here.user("佐藤 花子")[1:].partition(":")[0]
    assert await caldav_status(here, user, secret.group()) == 207
    page = await hanako.get("/my")
    assert secret.group() not in page.text
    assert "母の電話" in page.text
    remove = next(form.action for form in page.read.forms if form.action.endswith("/remove"))
    page = await hanako.submit(remove)
    assert "けしました" in page.text
    assert await caldav_status(here, user, secret.group()) == 401


async def test_nobody_removes_the_password_of_somebody_else(here: Site, log_in: LogIn) -> None:
    hanako, misaki = await log_in("佐藤 花子"), await log_in("高橋 美咲")
    await hanako.get("/my")
    page = await hanako.submit("/my/calendar", {"label": "母の電話"})
    remove = next(form.action for form in page.read.forms if form.action.endswith("/remove"))
    await misaki.get("/my")
    proof = dict(misaki.page.form("/my/calendar").fields) if misaki.page else {}
    assert (await misaki.post(remove, proof)).status == 404


async def test_a_client_password_replaces_the_old_one_and_keeps_this_browser(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my")
    before = hanako.cookie
    page = await hanako.submit("/my/app")
    shown = re.search(r"[a-z2-9]{5}(-[a-z2-9]{5}){3}", page.text)
    assert shown
    assert hanako.cookie != before
    assert await here.node.accounts.users.authenticate(here.user("佐藤 花子"), shown.group()) is not None
    assert (await hanako.get("/my")).url == "/my"


async def caldav_status(here: Site, user: str, secret: str) -> int:
    headers = {"Authorization": encode_basic_auth(user, secret)}
    async with ClientSession(headers=headers) as http, http.request("PROPFIND", here.url + "/dav/") as answer:
        return answer.status


@pytest.mark.parametrize(("fault", "words"), [
    (StorageBusy("Somebody else holds the database."), "いま こみあっています"),
    (StorageFull("The disk is full."), "書きこむ場所が いっぱいです"),
])
async def test_what_cannot_be_written_is_not_called_a_mistake_in_the_form(
    fault: Refused, words: str, here: Site, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanako = await log_in("佐藤 花子")
    before = here.node.association.members.household(here.person("佐藤 花子").household_id)
    await hanako.get("/my")

    def refuse(writes: object) -> None:
        raise fault

    monkeypatch.setattr(here.node.core.database, "submit", refuse)
    page = await hanako.submit("/my/channel", {"channel": "paper"})
    assert page.status == fault.status
    assert words in page.text
    assert here.node.association.members.household(before.id) == before
