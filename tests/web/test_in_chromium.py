"""The whole way in Debian's Chromium: on a telephone of 360 px and on a computer, with and without JavaScript."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.real_browser import COMPUTER, PHONE, window
from tests.web.site import CHAIR, PASSWORD, Site
from tests.web.windows import faults_of, keep_picture

pytestmark = pytest.mark.slow

WAYS = pytest.mark.parametrize(
    ("size", "script"), [(PHONE, False), (COMPUTER, True)], ids=["phone_no_script", "computer"])
PDF = b"%PDF-1.4\n%%EOF\n"


async def log_in(page: Page, here: Site, name: str) -> None:
    user = await here.set_password(name)
    await page.goto("/login")
    await page.get_by_label("ユーザーID").fill(user)
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="ログインする").click()
    await expect(page.get_by_role("heading", name=f"{name}さん")).to_be_visible()


async def look(page: Page, name: str) -> None:
    """Nothing is cut off at the side, nothing small to press; a picture is kept where one is wanted."""
    assert await faults_of(page) == [], name
    await keep_picture(page, f"{'phone' if page.viewport_size == PHONE else 'computer'}_{name}")


async def come_in(page: Page, here: Site, name: str) -> None:
    person = await here.add(name, "1班", account=False)
    card = (await here.invitations.cards_for(here.chief, [person]))[0]
    await page.goto(urlsplit(card.link).path)
    await look(page, "invitation")
    await expect(page.get_by_text(f"{name} さん")).to_be_visible()
    await page.get_by_role("button", name="この画面で 使う").click()
    await expect(page.get_by_role("heading", name=f"{name}さん")).to_be_visible()


@WAYS
async def test_from_the_card_to_answers(here: Site, chrome: Browser, size: dict[str, int], script: bool) -> None:
    """An officer writes, asks and starts a check; a resident comes in, reads, and answers everything by one tap."""
    async with (
        window(chrome, here.url, size, script=script) as desk,
        window(chrome, here.url, size, script=script) as home,
    ):
        await log_in(desk, here, CHAIR)
        await come_in(home, here, "渡辺 千代")
        await write_circular(desk)
        await read_circular(home)
        await desk.reload()
        await expect(desk.locator(".figures li", has_text="確認した")).to_contain_text("1")
        await look(desk, "reach")
        await ask_poll(desk)
        await answer_poll(home)
        await ask_officers(home)
        await start_check(desk)
        await answer_check(home)
        await watch_table(desk, script=script)


async def write_circular(desk: Page) -> None:
    await desk.get_by_role("link", name="役員のつくえ").first.click()
    await look(desk, "desk")
    await desk.get_by_role("link", name="回覧").first.click()
    await desk.get_by_role("link", name="回覧を 書く").click()
    await look(desk, "circular_form")
    await desk.get_by_label("題名").fill("夏まつりの お知らせ")
    await desk.get_by_label("本文").fill("8月9日（日）に 夏まつりを します。\n10時に 中央公園へ 来てください。")
    await desk.get_by_label("PDFや 写真を つける").set_input_files(
        {"name": "案内.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    await desk.get_by_role("button", name="つぎへ").click()
    await look(desk, "circular_preview")
    await desk.get_by_role("button", name="おくる").click()
    await expect(desk.get_by_role("status").first).to_contain_text("おくりました")


async def read_circular(home: Page) -> None:
    await home.goto("/")
    await look(home, "home")
    await home.get_by_role("link", name="回覧板").click()
    await look(home, "circulars")
    await home.get_by_role("link", name="夏まつりの お知らせ").click()
    await look(home, "circular")
    await expect(home.get_by_role("link", name="案内.pdf")).to_be_visible()
    await home.get_by_role("button", name="了解").click()
    await expect(home.get_by_role("status")).to_contain_text("了解しました")


async def ask_poll(desk: Page) -> None:
    await desk.goto("/desk/polls/new")
    await desk.get_by_label("質問").fill("夏まつりに 来ますか")
    await look(desk, "poll_form")
    await desk.get_by_role("button", name="おくる").click()
    await look(desk, "poll_result")


async def answer_poll(home: Page) -> None:
    await home.goto("/")
    await home.get_by_role("link", name="アンケート").click()
    await look(home, "poll")
    await home.get_by_role("button", name="はい", exact=True).click()
    await expect(home.get_by_role("status")).to_contain_text("届きました")


async def ask_officers(home: Page) -> None:
    await home.goto("/talk")
    await home.get_by_label("書くところ").fill("街灯が きれています")
    await home.get_by_role("button", name="おくる").click()
    await expect(home.get_by_text("街灯が きれています")).to_be_visible()


async def start_check(desk: Page) -> None:
    await desk.goto("/desk/safety/new")
    await desk.get_by_text("訓練（すべてに").click()
    await desk.get_by_role("button", name="つぎへ").click()
    await look(desk, "safety_sure")
    await desk.get_by_role("button", name="訓練を はじめる").click()
    await expect(desk.get_by_text("0 / 6人")).to_be_visible()


async def answer_check(home: Page) -> None:
    await home.goto("/")
    await expect(home.get_by_role("button", name="無事です")).to_be_visible()
    await look(home, "home_safety")
    await home.get_by_role("button", name="無事です").click()
    await expect(home.get_by_role("status")).to_contain_text("届きました")
    await look(home, "safety_arrived")


async def watch_table(desk: Page, *, script: bool) -> None:
    """With a script the table follows by itself within seconds; without one the page says how to load it again."""
    if not script:
        assert 'http-equiv="refresh"' in await desk.content()
    await expect(desk.get_by_text("1 / 6人")).to_be_visible()
    await look(desk, "safety_table")


async def test_no_message_of_the_content_policy(here: Site, chrome: Browser) -> None:
    """Our own pages keep to the policy that they send."""
    said: list[str] = []
    async with window(chrome, here.url, PHONE) as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda fault: said.append(str(fault)))
        await log_in(page, here, CHAIR)
        for path in ("/", "/circulars", "/desk", "/desk/safety/new", "/desk/circulars/new", "/my", "/desk/invitations"):
            await page.goto(path)
        await page.goto("/desk/safety/new")
        await page.get_by_text("訓練（すべてに").click()
        await page.get_by_role("button", name="つぎへ").click()
        await page.get_by_role("button", name="訓練を はじめる").click()
        await page.wait_for_timeout(2500)
    assert said == []


async def test_a_hostile_circular_runs_nothing(here: Site, chrome: Browser) -> None:
    text = "\"><img src=x onerror=\"document.title='HACKED'\"><script>document.title='HACKED'</script>"
    async with window(chrome, here.url, PHONE) as page:
        await log_in(page, here, CHAIR)
        await page.goto("/desk/circulars/new")
        await page.get_by_label("題名").fill(text[:100])
        await page.get_by_label("本文").fill(text)
        await page.get_by_role("button", name="つぎへ").click()
        await page.get_by_role("button", name="おくる").click()
        await page.get_by_role("link", name="住民の画面で 見る").click()
        await expect(page.locator(".text")).to_have_text(text)
        assert "HACKED" not in (await page.title()).replace(text[:100], "")
        assert await page.locator("main img, main script").count() == 0


async def test_a_file_over_the_limit_ends_in_a_sentence_and_not_in_a_broken_connection(
    here: Site, chrome: Browser, tmp_path: Path
) -> None:
    large = tmp_path / "大.pdf"
    large.write_bytes(PDF + b" " * (40 * 2**20))
    async with window(chrome, here.url, PHONE) as page:
        await log_in(page, here, CHAIR)
        await page.goto("/desk/circulars/new")
        await page.get_by_label("題名").fill("大きい")
        await page.get_by_label("PDFや 写真を つける").set_input_files(large)
        await page.get_by_role("button", name="つぎへ").click()
        await expect(page.get_by_role("heading", name="大きすぎます")).to_be_visible()
