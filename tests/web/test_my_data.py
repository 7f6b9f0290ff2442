"""My data: everything that is kept is shown and given along, nobody else's; logins are seen and ended."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, CookieJar

from server.assembly.common_pages import common_services
from server.association.board.model import Category, Writing
from server.association.circulars.model import Letter
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from tests.web.browser import Browser
from tests.web.common_life import pages_of_common_life
from tests.web.conftest import LogIn
from tests.web.daily_life import pages_of_daily_life
from tests.web.site import CHAIR, PASSWORD, Site

SECRET = "電話 090-1111-2222"
Also = Callable[[Site, str], Awaitable[Browser]]


@pytest.fixture(name="also")
async def with_the_same_password() -> AsyncIterator[Also]:
    """Opens one more browser of somebody who is logged in already."""
    async with AsyncExitStack() as stack:
        async def opened(here: Site, name: str) -> Browser:
            http = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
            browser = Browser(here.url, http)
            await browser.log_in(here.user(name)[1:].partition(":")[0], PASSWORD)
            return browser

        yield opened


async def taken_along(browser: Browser) -> dict[str, list[list[str]]]:
    """The files of the archive by name, as cells."""
    await browser.get("/my/data")
    form = browser.page.form("/my/data/file")  # type: ignore[union-attr]
    async with browser.http.post(browser.url + form.action, data=form.fields) as answer:
        assert answer.status == 200
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    return {name[3:-4]: list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()}


async def something_of(here: Site, name: str, mark: str) -> None:
    """Leave a trace of somebody in every table."""
    user, association = here.user(name), here.node.association
    await association.inquiries.verbs.ask(user, f"{mark} 街灯")
    writing = Writing(category=Category.QUESTION, title=f"{mark} 質問", text=mark)
    await common_services(here.node).board.write(user, writing)
    await association.safety_checks.start(here.user(CHAIR), f"{mark} 地震", EVERYONE, drill=True)


async def test_everything_that_is_kept_is_shown_and_taken_along(here: Site, log_in: LogIn) -> None:
    await pages_of_daily_life(here)
    await something_of(here, "佐藤 花子", "花")
    letter = Letter(title="断水", text="8月9日に します。", audience=EVERYONE)
    circular = await here.node.association.circulars.post(here.user(CHAIR), letter)
    hanako = await log_in("佐藤 花子")
    await hanako.get(f"/circulars/{circular.id}")
    page = await hanako.get("/my/data")
    assert "花 街灯" in page.text
    files = await taken_along(hanako)
    assert ["名前", "佐藤 花子"] in files["名簿"]
    assert files["回覧"][1][::2] == ["断水", "開いた"]
    assert files["掲示板に書いたもの"][1][1] == "花 質問"
    assert files["窓口で話したこと"][1][2] == "花 街灯"
    assert files["予約"][1][0] == "集会所"
    assert len(files["ログイン"]) == 2
    assert len(files) == 10


async def test_nothing_of_others_is_in_it(here: Site, log_in: LogIn) -> None:
    await pages_of_common_life(here)
    await something_of(here, "鈴木 一郎", SECRET)
    files = await taken_along(await log_in("佐藤 花子"))
    assert not any(SECRET in cell for rows in (files["窓口で話したこと"], files["掲示板に書いたもの"])
                   for row in rows for cell in row)
    assert any(row[1] == "となりの音" for row in files["掲示板に書いたもの"])  # without their name, and still theirs


async def test_what_is_on_paper_is_no_secret_either(here: Site, log_in: LogIn) -> None:
    """What officers have written down for somebody stands in their talk."""
    await here.node.association.inquiries.verbs.enter(
        here.user(CHAIR), "紙の 質問", CameBy.PAPER, person_id=here.person("佐藤 花子").id)
    files = await taken_along(await log_in("佐藤 花子"))
    assert len(files["窓口で話したこと"]) in (1, 2)


async def test_other_browsers_are_seen_and_logged_out(here: Site, log_in: LogIn, also: Also) -> None:
    lost = await log_in("佐藤 花子")
    here_now = await also(here, "佐藤 花子")
    page = await here_now.get("/my/devices")
    assert page.text.count("べつの 電話・パソコン") == 1
    await here_now.submit("/my/devices/browsers")
    assert "べつの 電話" not in (await here_now.get("/my/devices")).text
    assert "ログイン" in (await lost.get("/my")).text
    assert (await lost.get("/my")).url.startswith("/login")
    assert (await here_now.get("/my")).url == "/my"


async def test_everything_else_is_logged_out_at_once(here: Site, log_in: LogIn, also: Also) -> None:
    lost = await log_in("佐藤 花子")
    here_now = await also(here, "佐藤 花子")
    token, _ = await here.node.accounts.create_session(here.user("佐藤 花子"), "PHONE", "Element")
    page = await here_now.get("/my/devices")
    assert "アプリ：Element" in page.text
    page = await here_now.submit("/my/devices/others")
    assert "ログアウトさせました" in page.text
    assert "Element" not in page.text
    assert (await lost.get("/my")).url.startswith("/login")
    assert (await here_now.get("/my")).url == "/my"
    assert await here.node.accounts.sessions.devices(here.user("佐藤 花子")) == []
    assert token


async def test_nobody_logs_out_somebody_else(here: Site, log_in: LogIn, also: Also) -> None:
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    await also(here, "鈴木 一郎")
    await ichiro.get("/my/devices")
    theirs = dict(ichiro.page.form("/my/devices/browsers").fields)["which"]  # type: ignore[union-attr]
    await hanako.get("/my/devices")
    await also(here, "佐藤 花子")
    await hanako.get("/my/devices")
    await hanako.submit("/my/devices/browsers", {"which": theirs})
    assert (await ichiro.get("/my/devices")).text.count("べつの 電話・パソコン") == 1
    assert (await hanako.submit("/my/devices/browsers", {"which": "x"})).status == 400


async def test_a_card_of_ones_own_lets_a_new_telephone_in_once(here: Site, log_in: LogIn, stranger: Browser) -> None:
    hanako = await log_in("佐藤 花子")
    await hanako.get("/my/devices")
    page = await hanako.submit("/my/devices/card")
    code = next(word for word in page.text.split() if re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", word))
    await stranger.get("/code")
    await stranger.submit("/code", {"code": code})
    assert "佐藤 花子" in stranger.page.text  # type: ignore[union-attr]
    page = await stranger.submit("/come-in", {"how": "here"})
    assert page.url == "/"
    assert (await stranger.get("/my/devices")).text.count("べつの 電話・パソコン") == 1
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        third = Browser(here.url, http)
        await third.get("/code")
        assert (await third.submit("/code", {"code": code})).status == 404
