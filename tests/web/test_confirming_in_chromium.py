"""A client in a browser opens the page on which somebody confirms, and hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import expect

from server.accounts.interactive_auth import WEB, Demand
from tests.web.real_browser import COMPUTER, PHONE, chromium, window
from tests.web.site import Site, site

pytestmark = pytest.mark.slow

NAME = "佐藤 花子"


async def fallback_of(here: Site) -> tuple[str, str]:
    """The address that a client opens, and the session."""
    demand = Demand("POST /_matrix/client/v3/delete_devices", ((WEB,),), here.user(NAME))
    session = here.interactive_auth.session({}, demand, {}).id
    return f"{here.url}/_matrix/client/v3/auth/{WEB}/fallback/web?session={session}", session


async def test_the_window_that_opened_the_page_hears_of_it(tmp_path: Path) -> None:
    async with site(tmp_path) as here, chromium() as browser, window(browser, here.url, COMPUTER) as client:
        url, session = await fallback_of(here)
        code = (await here.invitations.cards_for(here.chief, [here.person(NAME)]))[0].code
        await client.evaluate(
            "() => { window.heard = []; addEventListener('message', (said) => window.heard.push(said.data)); }"
        )
        async with client.expect_popup() as opened:
            await client.evaluate("(url) => { window.open(url); }", url)
        page = await opened.value
        await page.get_by_label("招待番号").fill(code)
        await page.get_by_role("button", name="招待番号で たしかめる").click()
        await expect(page.get_by_role("heading", name="おわりました")).to_be_visible()
        await client.wait_for_function("window.heard.includes('authDone')")
        found = here.interactive_auth.find(session)
        assert found is not None
        assert found.completed == [WEB]


async def test_it_works_without_scripts_on_a_telephone(tmp_path: Path) -> None:
    async with site(tmp_path) as here, chromium() as browser, window(browser, here.url, PHONE, script=False) as page:
        url, session = await fallback_of(here)
        code = (await here.invitations.cards_for(here.chief, [here.person(NAME)]))[0].code
        await page.goto(url)
        await expect(page.get_by_text("ほかの機器の ログインを けします")).to_be_visible()
        await page.get_by_label("招待番号").fill(code)
        await page.get_by_role("button", name="招待番号で たしかめる").click()
        await expect(page.get_by_role("heading", name="おわりました")).to_be_visible()
        async with ClientSession() as http, http.get(f"{here.url}/auth/{WEB}/{session}") as answer:
            assert "おわりました" in await answer.text()
