"""The log of a day on which much happens and some of it goes wrong: it names nobody, and repeats nothing."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from server.assembly.departing import departures_of
from server.foundation.logs import JsonLines, PlainLines
from tests.operation.test_erasing import Telephone
from tests.web.browser import Browser
from tests.web.every_page import every_page
from tests.web.site import CHAIR, PASSWORD, Site, site

NAME, PHONE, SAID, WRONG = "佐藤 花子", "076-777-1234", "ひみつの 話です", "matsu-no-ki-3"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a node writes (``set_up_logs``), as people read it and as machines do."""
    written, root = io.StringIO(), logging.getLogger()
    before = root.level
    handlers = [logging.StreamHandler(written), logging.StreamHandler(written)]
    for handler, formatter in zip(handlers, (PlainLines(), JsonLines()), strict=True):
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


async def test_a_days_log_names_nobody(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        hanako = here.person(NAME)
        await here.node.association.editor.change_person(here.chief, hanako.id, phone=PHONE)
        addresses = await every_page(here)
        browser = Browser(here.url, http)
        await browser.log_in(await here.set_password(CHAIR), WRONG)
        await browser.log_in(await here.set_password(CHAIR), PASSWORD)
        for path in addresses:
            assert (await browser.get(path)).status in (200, 400, 403, 404), path
        secrets = await _on_the_telephone(here, monkeypatch)
        card = (await here.invitations.cards_for(here.chief, [await here.add("渡辺 千代", "1班", account=False)]))[0]
        await browser.get("/i/" + card.link.rpartition("/")[2][::-1])
        await departures_of(here.node).erase(here.chief, hanako.id)
        users = [here.user(name) for name in (CHAIR, "鈴木 一郎")]
    text = log.getvalue()
    assert re.search(r"joined_rooms failed\n(  .*\n)+ValueError\n", text), "where it was is told"
    people = [NAME, "鈴木 一郎", CHAIR, "渡辺 千代", "佐藤", PHONE, str(hanako.user_id), *users]
    words = [SAID, "となりの音", "鍵は花子", "街灯が きれています", PASSWORD, WRONG, card.code, card.link]
    assert [word for word in (*people, *words, *secrets) if word in text] == []


async def _on_the_telephone(here: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """She says something, a mistake of ours quotes it, and a token is wrong; answers her token."""
    async with ClientSession() as http:
        phone = Telephone(here, http)
        await phone.log_in(await here.set_password(NAME))
        room = (await phone.ask("POST", "createRoom", {"name": SAID}))["room_id"]
        await phone.says(room, SAID)

        async def fails(user_id: str) -> list[str]:
            raise ValueError(f"{NAME} {PHONE} {user_id}: {SAID}")

        with monkeypatch.context() as patched:
            patched.setattr(here.node.services.membership, "joined_rooms", fails)
            with pytest.raises(AssertionError):
                await phone.ask("GET", "joined_rooms")
        token = phone.token
        for wrong in (token[::-1], f"{token}x"):
            url = f"{here.url}/_matrix/client/v3/sync?access_token={wrong}"
            assert (await http.get(url)).status == 401
    return [token, token[::-1]]
