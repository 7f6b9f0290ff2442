"""The installed app where there is no signal: what is kept can be read, answers wait and say so, nothing is lost."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Browser, Page, expect

from server.association.circulars.model import Letter
from server.association.members.model import EVERYONE
from server.association.safety_checks.desk import SafetyDesk
from server.association.standing_papers.model import Kind
from tests.web.browser import Browser as PlainBrowser
from tests.web.conftest import LogIn
from tests.web.real_browser import PHONE, window
from tests.web.signal import Wire, wire
from tests.web.site import CHAIR, PASSWORD, Site

NAME = "佐藤 花子"


async def ready(page: Page, here: Site, name: str = NAME) -> None:
    """Logged in, and the service worker has kept what it keeps."""
    user = await here.set_password(name)
    await page.goto("/login")
    await page.fill("#f-user", user)
    await page.fill("#f-password", PASSWORD)
    await page.click("form[action='/login'] button")
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.wait_for_function(
        "async () => !!(await caches.match('/kept')) && !!navigator.serviceWorker.controller", polling=100
    )


async def arrange(here: Site) -> tuple[str, str]:
    """A circular and a check."""
    association, chair = here.node.association, here.user(CHAIR)
    circular = await association.circulars.post(
        chair, Letter(title="断水の お知らせ", text="あす 10時から 断水します。", audience=EVERYONE)
    )
    check = await association.safety_checks.announce(chair, "地震", EVERYONE, drill=True)
    await association.safety_checks.ask(check.id)
    return circular.id, check.id


async def write_paper(desk: PlainBrowser, kind: Kind, text: str) -> None:
    await desk.get(f"/desk/papers/{kind}")
    await desk.submit(f"/desk/papers/{kind}", {"text": text})


@pytest.mark.slow
async def test_what_is_kept_is_read_and_an_answer_waits_until_the_signal_is_back(
    here: Site, chrome: Browser, log_in: LogIn
) -> None:
    circular, check = await arrange(here)
    await write_paper(await log_in(CHAIR), Kind.SHELTERS, "桜小学校（体育館）")
    await write_paper(await log_in(CHAIR), Kind.TELEPHONES, "会長 076-123-4567")
    async with wire(here.url) as line, window(chrome, line.url, PHONE) as page:
        await ready(page, here)
        line.cut()
        await page.context.set_offline(True)
        await _read_without_signal(page, circular)
        await page.goto("/")
        await page.get_by_role("button", name="無事です").first.click()
        await expect(page.locator("#waiting")).to_contain_text("まだ 送っていません")
        await expect(page.locator("#waiting li")).to_contain_text("無事です")
        assert await page.get_by_text("届きました").count() == 0
        assert await _answers(here, check) == 0
        await _signal_again(page, line)
        await expect(page.locator(".arrived")).to_contain_text("届きました")
        await expect(page.locator("#waiting")).to_be_hidden()
    assert await _answers(here, check) == 1


async def _read_without_signal(page: Page, circular: str) -> None:
    await page.goto(f"/circulars/{circular}")
    await expect(page.get_by_text("あす 10時から 断水します。")).to_be_visible()
    await page.goto("/")
    await page.get_by_text("避難所").first.click()
    await expect(page.get_by_text("桜小学校（体育館）")).to_be_visible()
    await page.get_by_text("電話番号").first.click()
    assert await page.get_by_role("link", name="076-123-4567").get_attribute("href") == "tel:076-123-4567"


async def _signal_again(page: Page, line: Wire) -> None:
    line.mend()
    await page.context.set_offline(False)


async def _answers(here: Site, check: str) -> int:
    """How many answers to a check are on disk for the resident."""
    core = here.node.core
    questions = await SafetyDesk(core.database, here.node.association.members).questions_for(here.user(NAME))
    return sum(bool(item.current.status) for item in questions if item.check.id == check)


@pytest.mark.slow
async def test_whoever_logs_out_leaves_nothing_on_the_telephone(here: Site, chrome: Browser) -> None:
    await arrange(here)
    async with wire(here.url) as line, window(chrome, line.url, PHONE) as page:
        await ready(page, here)
        await page.get_by_role("button", name="ログアウト").first.click()
        await expect(page.get_by_role("link", name="ログイン")).to_be_visible()
        assert not await page.evaluate("caches.match('/kept').then((found) => !!found)")


async def test_an_answer_that_waited_is_told_when_it_has_arrived(here: Site, log_in: LogIn) -> None:
    _, check = await arrange(here)
    browser = await log_in(NAME)
    await browser.get("/kept")
    page = await browser.submit(f"/safety/{check}", {"status": "safe"}, headers={"Kairan-Kept": ""})
    told = json.loads(page.html)
    assert page.status == 200
    assert told["arrived"] > 0
    assert len(told["clock"]) == 5
    assert await _answers(here, check) == 1


async def test_an_answer_that_waited_too_long_is_refused_with_a_reason(here: Site, log_in: LogIn) -> None:
    _, check = await arrange(here)
    browser = await log_in(NAME)
    await browser.get("/kept")
    await here.node.association.safety_checks.close(here.user(CHAIR), check)
    page = await browser.submit(f"/safety/{check}", {"status": "safe"}, headers={"Kairan-Kept": ""})
    assert page.status in (400, 404, 409)
    assert json.loads(page.html)["reason"]


async def test_an_answer_of_nobody_is_not_taken(stranger: PlainBrowser) -> None:
    page = await stranger.post("/safety/x", {"status": "safe"}, headers={"Kairan-Kept": ""})
    assert page.status in (401, 403)
    assert json.loads(page.html)["reason"]


async def test_looking_at_what_is_kept_opens_no_circular(here: Site, log_in: LogIn) -> None:
    await arrange(here)
    browser = await log_in(NAME)
    assert "断水" in (await browser.get("/kept")).text
    assert "まだ" in (await browser.get("/circulars")).text


async def test_the_manifest_and_the_worker_are_there_for_everybody(stranger: PlainBrowser) -> None:
    manifest = await stranger.get("/manifest.webmanifest")
    assert manifest.headers["Content-Type"].startswith("application/manifest+json")
    told = json.loads(manifest.html)
    assert told["name"] == "桜町町内会"
    for icon in told["icons"]:
        assert (await stranger.get(icon["src"])).status == 200
    worker = await stranger.get("/sw.js")
    assert worker.headers["Cache-Control"] == "no-cache"
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert (await stranger.get("/kept")).url.startswith("/login")


async def test_of_two_officers_the_slower_one_is_told(chair: PlainBrowser) -> None:
    seen_by_both = await chair.get("/desk/papers/shelters")
    assert (await chair.submit("/desk/papers/shelters", {"text": "桜小学校"})).url.startswith("/desk/papers")
    chair.page = seen_by_both
    page = await chair.submit("/desk/papers/shelters", {"text": "梅小学校"})
    assert page.status == 412
    assert "桜小学校" in (await chair.get("/papers/shelters")).text


async def test_residents_read_papers_and_do_not_write_them(log_in: LogIn) -> None:
    chair, resident = await log_in(CHAIR), await log_in(NAME)
    await write_paper(chair, Kind.GARBAGE, "月曜日：もえるごみ")
    assert "ごみの 出しかた" in (await resident.get("/papers")).text
    assert "もえるごみ" in (await resident.get("/papers/garbage")).text
    assert (await resident.get("/desk/papers/garbage")).status == 403
    assert (await resident.get("/papers/unknown")).status == 404
