"""Hydrogen, a whole web client, in a real browser. It knows only the paths of the old release r0."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nio
import pytest
from aiohttp.test_utils import unused_port
from PIL import Image
from playwright.async_api import Page, expect

from tests.builders import PASSWORD, Person, RunningNode, settings_for
from tests.clients.conftest import LogIn
from tests.clients.hydrogen_site import hydrogen_site
from tests.web.real_browser import COMPUTER, chromium, window

pytestmark = pytest.mark.slow
HANAKO = "@hanako:sakura.example"
ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A node that knows its own address: Hydrogen asks for it."""
    port = unused_port()
    settings = settings_for(tmp_path, more=f'[http]\npublic_url = "http://127.0.0.1:{port}"')
    async with RunningNode(settings, port=port) as running:
        yield running


@pytest.fixture
async def page(node: RunningNode) -> AsyncIterator[Page]:
    """A window on Hydrogen, before the login."""
    await node.inside.accounts.create_user("hanako", PASSWORD)
    async with hydrogen_site() as site, chromium() as browser, window(browser, site, COMPUTER) as opened:
        await opened.goto(f"/?homeserver={quote(node.url, safe='')}")
        yield opened


def picture() -> bytes:
    """A small PNG file."""
    file = BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "PNG")
    return file.getvalue()


async def sign_in(page: Page, password: str = PASSWORD) -> None:
    await page.fill("#username", "hanako")
    await page.fill("#password", password)
    await page.click("button[type=submit]")


async def enter(page: Page, room_name: str) -> None:
    """Open an invitation and take it."""
    await page.get_by_text(room_name).click()
    await page.get_by_role("button", name="Accept").click()


async def say(page: Page, words: str) -> None:
    composer = page.locator(".MessageComposer textarea")
    await composer.fill(words)
    await composer.press("Enter")


async def heard(person: Person, room: str, since: str, words: str) -> Any:
    """The event with these words, once ``person`` has it."""
    token = since
    while True:
        answer = await person.syncs(token, timeout=30_000)
        assert answer.token != token, f"nobody said {words}"
        for event in answer.timeline(room):
            if event["content"].get("body") == words:
                return event
        token = answer.token


async def test_a_wrong_password_is_told(page: Page) -> None:
    await sign_in(page, "wrong")
    await expect(page.get_by_text("don't seem to be correct")).to_be_visible()
    await sign_in(page)
    await expect(page.locator(".RoomList")).to_be_visible()


async def test_hydrogen_enters_a_room_reads_and_writes(node: RunningNode, page: Page) -> None:
    taro = await node.user("taro")
    room = await taro.creates_room(name="回覧板", invite=[HANAKO])
    await taro.says(room, "ようこそ")
    await sign_in(page)
    await enter(page, "回覧板")
    timeline = page.locator(".Timeline")
    await expect(timeline.get_by_text("ようこそ")).to_be_visible()
    since = (await taro.syncs()).token
    await say(page, "お世話になります")
    event = await heard(taro, room, since, "お世話になります")
    assert event["sender"] == HANAKO
    event_id = await taro.says(room, "清掃は日曜です")
    await expect(timeline.get_by_text("清掃は日曜です")).to_be_visible()
    key = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event["event_id"], "key": "👍"}}
    await taro.sends(room, "m.reaction", key)
    await expect(timeline.locator(".Timeline_messageReactions button")).to_have_text("👍 1")
    await taro.redacts(room, event_id)
    await expect(timeline.get_by_text("清掃は日曜です")).to_have_count(0)


async def test_the_past_comes_by_scrolling_and_after_a_reload(node: RunningNode, page: Page) -> None:
    taro = await node.user("taro")
    room = await taro.creates_room(name="日誌", preset="public_chat", invite=[HANAKO])
    for number in range(60):
        await taro.says(room, f"第{number}号")
    await sign_in(page)
    await enter(page, "日誌")
    await expect(page.get_by_text("第59号")).to_be_visible()
    await page.locator(".Timeline_scroller").hover()
    first, items = page.get_by_text("第0号"), page.locator(".Timeline_scroller li")
    while not await first.count():
        shown = await items.count()
        await page.mouse.wheel(0, -50_000)
        await expect(items).not_to_have_count(shown)
    await expect(first).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("第59号")).to_be_visible()
    await taro.says(room, "第60号")
    await expect(page.get_by_text("第60号")).to_be_visible()


async def test_a_picture_is_fetched_with_the_session(node: RunningNode, page: Page) -> None:
    taro = await node.user("taro")
    room = await taro.creates_room(name="写真", invite=[HANAKO])
    uploaded = await taro.ask("POST", "/_matrix/media/v3/upload", picture(), filename="a.png")
    info = {"mimetype": "image/png", "w": 64, "h": 48, "size": len(picture())}
    await taro.sends(room, "m.room.message", {
        "msgtype": "m.image", "body": "祭り.png", "url": uploaded["content_uri"], "info": info,
    })
    await sign_in(page)
    await enter(page, "写真")
    image = page.get_by_role("img", name="祭り.png")
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("naturalWidth", 64)


async def test_hydrogen_and_another_client_talk_encrypted(page: Page, log_in: LogIn) -> None:
    taro = await log_in("taro", encrypted=True)
    made = await taro.room_create(name="役員", invite=[HANAKO], initial_state=[ENCRYPTED])
    await exchange_keys(taro)
    await sign_in(page)
    await enter(page, "役員")
    await expect(page.get_by_placeholder("Send an encrypted message")).to_be_visible()
    words: list[str] = []
    taro.add_event_callback(lambda _room, event: words.append(event.body), nio.RoomMessageText)
    await say(page, "内密に")
    while "内密に" not in words:
        await exchange_keys(taro, timeout=30_000)
    content = {"msgtype": "m.text", "body": "承知しました"}
    answer = await taro.room_send(made.room_id, "m.room.message", content, ignore_unverified_devices=True)
    assert isinstance(answer, nio.RoomSendResponse), answer
    await expect(page.locator(".Timeline").get_by_text("承知しました")).to_be_visible()


async def exchange_keys(client: nio.AsyncClient, *, timeout: int = 0) -> None:
    """One /sync, and what follows from it for the keys."""
    assert isinstance(await client.sync(timeout=timeout), nio.SyncResponse)
    if client.should_upload_keys:
        await client.keys_upload()
    if client.should_query_keys:
        await client.keys_query()
