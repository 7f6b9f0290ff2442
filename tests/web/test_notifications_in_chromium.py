"""The service worker in Chromium: what is pushed is shown with its buttons, and a button answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Worker

from server.association.members.model import EVERYONE
from server.association.safety_checks.desk import SafetyDesk
from server.foundation.clock import SystemClock
from server.notifications.web_push_keys import open_keys
from server.notifications.web_subscriptions import Asked
from tests.web.real_browser import PHONE, window
from tests.web.site import CHAIR, Site
from tests.web.test_without_signal import NAME, ready

pytestmark = pytest.mark.slow


async def worker_of(page: Page) -> Worker:
    workers = page.context.service_workers
    return workers[0] if workers else await page.context.wait_for_event("serviceworker")


async def shown(worker: Worker) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await worker.evaluate(
        "async () => (await self.registration.getNotifications()).map("
        "(one) => ({title: one.title, body: one.body, actions: one.actions.map((item) => item.action)}))"
    )
    return found


async def test_what_is_pushed_is_shown_and_its_button_answers(here: Site, chrome: Browser) -> None:
    checks = here.node.association.safety_checks
    check = await checks.announce(here.user(CHAIR), "地震", EVERYONE, drill=False)
    await checks.ask(check.id)
    keys = open_keys(here.node.settings.data_dir)
    token = keys.answer_token(Asked(here.user(NAME), "safety", check.id), SystemClock().now_ms())
    said = {
        "title": "安否確認", "body": "ご無事ですか。", "tag": "safety", "address": "/safety", "alert": True,
        "token": token, "words": {"arrived": "届きました", "waiting": "まだ 送っていません"},
        "actions": [{"action": "safe", "title": "無事です"}, {"action": "help", "title": "助けがほしい"}],
    }
    async with window(chrome, here.url, PHONE) as page:
        await page.context.grant_permissions(["notifications"])
        await ready(page, here)
        await push(page, here.url, said)
        worker = await worker_of(page)
        await page.wait_for_timeout(500)
        assert [item["title"] for item in await shown(worker)] == ["安否確認"]
        assert (await shown(worker))[0]["actions"] == ["safe", "help"]
        await worker.evaluate("([said, choice]) => answerFrom(said, choice)", [said, "safe"])
        assert "届きました" in (await shown(worker))[0]["body"]
        # A family with one telephone: shown once, for whom it is; they answer on the page.
        for name in ("佐藤 花子", "佐藤 太郎"):
            await worker.evaluate("(said) => show(said)", {**said, "tag": "safety 2", "name": name})
        assert [(item["title"], item["actions"]) for item in await shown(worker) if "花子" in item["title"]] == [
            ("安否確認（佐藤 花子・佐藤 太郎）", [])]
    questions = await SafetyDesk(here.node.core.database, here.node.association.members).questions_for(here.user(NAME))
    assert [str(item.current.status) for item in questions] == ["safe"]


async def push(page: Page, url: str, said: dict[str, Any]) -> None:
    """As the browser's push service would."""
    devtools = await page.context.new_cdp_session(page)
    registered: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registered.extend(item["registrationId"] for item in told["registrations"]),
    )
    await devtools.send("ServiceWorker.enable")
    for _ in range(50):
        if registered:
            break
        await page.wait_for_timeout(50)
    await devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": url, "registrationId": registered[0], "data": json.dumps(said)},
    )
