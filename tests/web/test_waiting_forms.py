"""Forms that are sent without signal wait on the telephone: whose they are, over a restart, once, refused, in words."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from playwright.async_api import Browser, FilePayload, Page, async_playwright, expect

from server.association.circulars.model import Letter
from server.association.gatherings.model import Plan
from server.association.inquiries.model import MAX_TEXT
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from server.foundation.clock import tokyo_time
from tests.real import require_real
from tests.web.browser import Browser as PlainBrowser
from tests.web.conftest import LogIn
from tests.web.pictures import photo
from tests.web.real_browser import PHONE, window
from tests.web.signal import wire
from tests.web.site import CHAIR, PASSWORD, Site, site
from tests.web.test_without_signal import NAME, ready

# What else may happen without signal; the node's part of it is tried in any case, below.
ALL = pytest.mark.skipif(not os.environ.get("KAIRAN_BROWSER"), reason="KAIRAN_BROWSER=1 tries it")
OTHER = "鈴木 一郎"
TEXT = "公園の 水道が とまりません。"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a resident is asked; ids."""

    circular: str
    poll: str
    gathering: str


async def ask(here: Site) -> Asked:
    association, chair = here.node.association, here.user(CHAIR)
    letter = Letter(title="断水の お知らせ", text="あす 10時から 断水します。", audience=EVERYONE)
    circular = await association.circulars.post(chair, letter)
    question = Question(text="夏まつりに 来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    poll = await association.polls.start(chair, question)
    day = tokyo_time(here.node.core.clock.now_ms()).date() + timedelta(days=5)
    plan = Plan("夏まつり", day, day + timedelta(days=1), "中央公園", asks=True)
    gathering = await association.gatherings.announce(chair, plan, EVERYONE)
    return Asked(circular.id, poll.id, gathering.id)


async def stands(browser: PlainBrowser, asked: Asked) -> list[bool]:
    """Whether the circular is acknowledged and stamped, the poll and the gathering answered, a letter there once."""
    circular = (await browser.get(f"/circulars/{asked.circular}")).text
    talk = (await browser.get("/talk")).text
    assert talk.count(TEXT) < 2
    return [
        "了解しました" in circular, "ありがとう 1" in circular,
        "あなたの こたえ" in (await browser.get(f"/polls/{asked.poll}")).text,
        "いまの こたえ" in (await browser.get(f"/gatherings/{asked.gathering}")).text, TEXT in talk,
    ]


@asynccontextmanager
async def telephone(folder: Path, url: str) -> AsyncIterator[Page]:
    """A browser that keeps what it has in ``folder``, as on a telephone that is switched off and on."""
    path = require_real("chromium")
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=str(path), args=["--no-sandbox", "--disable-gpu"], base_url=url,
            viewport={"width": 360, "height": 740}, locale="ja-JP", timezone_id="Asia/Tokyo",
        )
        context.set_default_timeout(60_000)
        try:
            yield context.pages[0]
        finally:
            await context.close()


async def answer_everything(page: Page, asked: Asked) -> None:
    """Everything that can be answered on the page of what is kept, and a letter with a photo."""
    for path, button in ((f"/polls/{asked.poll}", "はい"), (f"/gatherings/{asked.gathering}", "行きます"),
                         (f"/circulars/{asked.circular}", "了解")):
        await page.goto("/kept")
        form = page.locator(f"form[action^='{path}']")
        await page.locator("details.kept", has=form).locator("summary").click()
        await form.get_by_role("button", name=button, exact=True).click()
        await expect(page.locator("#waiting")).to_contain_text("まだ 送っていません")
    await page.get_by_text("窓口に 書く").click()
    await page.get_by_label("書くところ").fill(TEXT)
    await page.locator("#f-photos").set_input_files(
        FilePayload(name="水道.jpg", mimeType="image/jpeg", buffer=photo(size=(1600, 1200))))
    await page.locator("form[action='/talk'] button").click()
    await expect(page.locator("#waiting li")).to_have_count(4)


@pytest.mark.slow
async def test_all_answers_and_a_letter_wait_over_a_restart_and_arrive_once(
    here: Site, tmp_path: Path, log_in: LogIn
) -> None:
    asked = await ask(here)
    async with wire(here.url) as line:
        async with telephone(tmp_path / "telephone", line.url) as page:
            await ready(page, here)
            await page.goto(f"/circulars/{asked.circular}")
            line.cut()
            await page.get_by_role("button", name="ありがとう").click()
            await expect(page.locator("#waiting")).to_contain_text("スタンプ")
            await page.get_by_role("button", name="送らないで けす").click()
            await expect(page.locator("#waiting")).to_be_hidden()
            await answer_everything(page, asked)
        async with telephone(tmp_path / "telephone", line.url) as page:
            await page.goto("/")
            await expect(page.locator("#waiting li")).to_have_count(4)
            await expect(page.locator("#waiting")).to_contain_text(TEXT)
            await expect(page.locator("#waiting")).to_contain_text("写真 1")
            line.mend()
            await page.goto("/")
            await all_is_sent(page)
            await expect(page.locator("#waiting")).to_be_hidden()
            await expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    browser = await log_in(NAME)
    assert await stands(browser, asked) == [True, False, True, True, True]
    assert "/talk/files/" in str((await browser.get("/talk")).links)


@ALL
@pytest.mark.slow
async def test_a_letter_whose_answer_was_lost_is_sent_again_and_stands_once(
    here: Site, chrome: Browser, log_in: LogIn
) -> None:
    asked = await ask(here)
    async with wire(here.url) as line, window(chrome, line.url, PHONE) as page:
        await ready(page, here)
        await page.goto("/talk")
        await page.get_by_label("書くところ").fill(TEXT)
        line.lose_answers()
        await page.locator("form[action='/talk'] button").click()
        await expect(page.locator("#waiting")).to_contain_text(TEXT)
        line.mend()
        await page.goto("/")
        await all_is_sent(page)
    assert (await stands(await log_in(NAME), asked))[-1]


@pytest.mark.slow
async def test_what_one_person_wrote_is_never_sent_as_another_and_the_later_answer_counts(
    here: Site, chrome: Browser, log_in: LogIn
) -> None:
    asked = await ask(here)
    async with wire(here.url) as line, window(chrome, line.url, PHONE) as page:
        await ready(page, here)
        for button in ("はい", "いいえ"):
            await page.goto(f"/polls/{asked.poll}" if line.is_up else "/kept")
            line.cut()
            if button == "いいえ":
                form = page.locator("form[action^='/polls/']")
                await page.locator("details.kept", has=form).locator("summary").click()
            await page.get_by_role("button", name=button, exact=True).click()
            await expect(page.locator("#waiting li")).to_have_count(1)
        mine, others = await log_in(NAME), await log_in(OTHER)
        await be(page, others)
        line.mend()
        await page.goto("/")
        await expect(page.get_by_role("heading", name=OTHER)).to_be_visible()
        await expect(page.locator("#waiting")).to_be_hidden()
        assert not (await stands(others, asked))[2]
        assert not (await stands(mine, asked))[2]
        await be(page, mine)
        await page.goto("/")
        await all_is_sent(page)
        another = await page.context.new_page()  # the first one loads itself anew when all is sent
        await another.goto(f"/polls/{asked.poll}")
        await expect(another.get_by_text("「いいえ」")).to_be_visible()
    assert not (await stands(others, asked))[2]


async def all_is_sent(page: Page) -> None:
    await page.wait_for_function("async () => (await queue.all()).length === 0", polling=100)


async def be(page: Page, browser: PlainBrowser) -> None:
    """The same telephone in the hands of somebody else: their session, their cookie."""
    assert browser.cookie is not None
    await page.context.add_cookies([{"name": "kairan", "value": browser.cookie, "url": page.url}])
    await page.wait_for_function("async () => (await queue.all()).length > 0", polling=100)


@ALL
@pytest.mark.slow
async def test_what_the_node_refuses_is_told_in_words_and_can_be_copied(
    here: Site, chrome: Browser, log_in: LogIn
) -> None:
    asked = await ask(here)
    async with wire(here.url) as line, window(chrome, line.url, PHONE) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await ready(page, here)
        await page.goto("/talk")
        await page.evaluate("document.querySelector('textarea').removeAttribute('maxlength')")
        long = TEXT * (MAX_TEXT // len(TEXT) + 1)
        await page.get_by_label("書くところ").fill(long)
        line.cut()
        await page.locator("form[action='/talk'] button").click()
        await expect(page.locator("#waiting")).to_contain_text("まだ 送っていません")
        line.mend()
        await page.goto("/my")
        await expect(page.locator("#waiting")).to_contain_text("送れませんでした。 本文を、1字から")
        await expect(page.locator("[data-not-yet]")).to_be_hidden()
        await page.get_by_role("button", name="文を コピーする").click()
        await expect(page.get_by_text("コピーしました")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == long
        await page.get_by_role("button", name="送らないで けす").click()
        await all_is_sent(page)
    assert not (await stands(await log_in(NAME), asked))[-1]


async def test_a_letter_that_comes_again_after_a_restart_stands_once(tmp_path: Path) -> None:
    once = ""
    for _ in range(2):
        async with site(tmp_path) as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
            browser = PlainBrowser(here.url, http)
            await browser.log_in(await here.set_password(NAME), PASSWORD)
            page = await browser.get("/talk")
            once = once or dict(page.form("/talk").fields)["once"]
            page = await browser.submit("/talk", {"text": TEXT, "once": once}, files=[
                ("photo", "a.jpg", "image/jpeg", photo())])
            assert page.status == 200, page.text
            assert (page.text.count(TEXT), page.html.count("<img")) == (1, 1)


async def test_a_form_says_whose_it_is_and_is_taken_from_nobody_else(here: Site, log_in: LogIn) -> None:
    asked, mine, others = await ask(here), await log_in(NAME), await log_in(OTHER)
    path = f"/polls/{asked.poll}"
    whose = dict((await mine.get(path)).form(path).fields)["form_person"]
    await others.get(path)
    told = await others.get("/kept/who")
    assert whose not in told.html
    await others.get(path)
    choice = others.page.form(path).buttons[0][1] if others.page else ""
    assert (await others.submit(path, {"choice": choice}, headers={"Kairan-Kept": whose})).status == 401
    assert not (await stands(others, asked))[2]
    await mine.get(path)
    assert (await mine.submit(path, {"choice": choice}, headers={"Kairan-Kept": whose})).status == 200
    assert (await stands(mine, asked))[2]


async def test_nobody_is_told_who_is_logged_in_where_nobody_is(stranger: PlainBrowser) -> None:
    assert (await stranger.get("/kept/who", headers={"Kairan-Kept": ""})).status == 401
