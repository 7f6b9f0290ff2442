"""Safety checks on the pages: one tap, what has arrived, the officers' table."""

from __future__ import annotations

import asyncio

from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import Site


async def started(chair: Browser, kind: str = "drill") -> str:
    """Start a check; answers the address of its table."""
    await chair.get("/desk/safety/new")
    page = await chair.submit("/desk/safety/new", {"kind": kind, "title": "震度5強の地震"})
    assert "5人に たずねます" in page.text
    page = await chair.submit("/desk/safety/start")
    assert page.status == 200, page.text
    return page.url


async def asked(browser: Browser) -> PageRead:
    for _ in range(100):
        page = await browser.get("/")
        if "ご無事ですか" in page.text:
            return page
        await asyncio.sleep(0.02)
    raise AssertionError("nobody was asked")


def action(page: PageRead) -> str:
    return next(form.action for form in page.read.forms if form.action.startswith("/safety/"))


async def test_one_tap_answers_and_the_page_says_when_it_arrived(here: Site, chair: Browser, log_in: LogIn) -> None:
    table = await started(chair)
    hanako = await log_in("佐藤 花子")
    page = await asked(hanako)
    assert "訓練" in page.text
    page = await hanako.submit(action(page), {"status": "safe"})
    assert page.url == "/safety"
    assert "届きました" in page.text
    assert "無事です" in page.text
    page = await chair.get(table)
    assert "1 / 5人" in page.text


async def test_nothing_has_arrived_without_a_button(chair: Browser, log_in: LogIn) -> None:
    await started(chair)
    hanako = await log_in("佐藤 花子")
    page = await asked(hanako)
    page = await hanako.submit(action(page))
    assert page.status == 400
    assert "届きました" not in (await hanako.get("/safety")).text
