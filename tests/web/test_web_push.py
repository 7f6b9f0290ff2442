"""Web Push: subscribing, what arrives and only there, quiet hours, buttons that answer, and browsers that are gone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from server.accounts.looks import Look
from server.association.circulars.model import Category, Letter
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from server.foundation.clock import tokyo_time
from server.notifications.push_gateways import Gateways
from server.notifications.web_push import MOST_BYTES, Message
from server.notifications.web_push_store import add_waiting, due_waiting
from server.storage.database import Writes
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.household import TARO, add, change_to, family_phone, move_in
from tests.web.push_service import PushService, claims_of, push_service
from tests.web.site import CHAIR, PASSWORD, Site, site

NAME = "佐藤 花子"
ALWAYS = Look(quiet_from=0, quiet_to=0)


@pytest.fixture(name="here")
async def open_site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, outgoing="127.0.0.0/8") as found:
        yield found


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as found:
        yield found


async def switch_on(browser: Browser, service: PushService) -> PageRead:
    await browser.get("/my/news")
    return await browser.submit("/my/news/on", service.subscription)


async def subscribed(here: Site, log_in: LogIn, service: PushService) -> Browser:
    browser = await log_in(NAME)
    await here.node.accounts.looks.set(here.user(NAME), ALWAYS)
    assert "この電話は、しらせを うけとります" in (await switch_on(browser, service)).text
    return browser


async def post(
    here: Site, title: str = "断水", category: Category = Category.NOTICE, *, is_important: bool = False
) -> str:
    letter = Letter(
        title=title, text="あす 10時から", audience=EVERYONE, category=category, is_important=is_important)
    return (await here.node.association.circulars.post(here.user(CHAIR), letter)).id


async def test_a_circular_arrives_encrypted_and_says_who_sent_it(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    await subscribed(here, log_in, service)
    circular = await post(here)
    await service.next()
    pushed = service.pushed[0]
    assert (pushed.said["title"], pushed.said["body"]) == ("回覧板", "断水")
    assert pushed.said["address"] == f"/circulars/{circular}"
    assert pushed.headers["Content-Encoding"] == "aes128gcm"
    assert pushed.size < 4096
    claims = claims_of(pushed.headers["Authorization"])
    assert claims["aud"] == service.url
    assert 0 < claims["exp"] - time.time() <= 86_400
    assert claims["sub"].startswith(("mailto:", "http"))


async def test_a_check_is_answered_by_a_button_inside_the_notification(
    here: Site, log_in: LogIn, service: PushService, stranger: Browser
) -> None:
    """Without a cookie: what the button carries says who answers."""
    await subscribed(here, log_in, service)
    checks = here.node.association.safety_checks
    check = await checks.announce(here.user(CHAIR), "地震", EVERYONE, drill=True)
    await checks.ask(check.id)
    await service.next()
    said = service.pushed[0].said
    assert [item["action"] for item in said["actions"]] == ["safe", "help", "contact"]
    assert not said["alert"]
    page = await stranger.post(
        "/push/answer", {"token": said["token"], "choice": "safe"}, headers={"Kairan-Kept": ""}
    )
    assert page.status == 200, page.html
    assert json.loads(page.html)["clock"]
    table = await (await log_in(CHAIR)).get(f"/desk/safety/{check.id}/people")
    assert "無事" in table.text
    for token in (said["token"] + "x", "x" + said["token"], "", "a.b", said["token"].replace(".", "")):
        refused = await stranger.post("/push/answer", {"token": token, "choice": "help"})
        assert refused.status == 403, token
    assert (await stranger.post("/push/answer", {"token": said["token"], "choice": "no"})).status == 400
    assert (await stranger.post("/push/answer", {"choice": "safe"})).status == 400


async def test_attendance_is_answered_by_a_button(
    here: Site, log_in: LogIn, service: PushService, stranger: Browser
) -> None:
    await subscribed(here, log_in, service)
    question = Question(text="夏まつりに 来ますか", choices=("行きます", "行きません"), audience=EVERYONE)
    poll = await here.node.association.polls.start(here.user(CHAIR), question)
    await service.next()
    said = service.pushed[0].said
    assert [item["title"] for item in said["actions"]] == ["行きます", "行きません"]
    await stranger.post("/push/answer", {"token": said["token"], "choice": said["actions"][1]["action"]})
    assert "行きません" in (await (await log_in(NAME)).get(f"/polls/{poll.id}")).text


@pytest.mark.parametrize("status", [404, 410, 403])
async def test_a_browser_that_is_gone_is_forgotten(
    here: Site, log_in: LogIn, service: PushService, status: int
) -> None:
    await subscribed(here, log_in, service)
    service.status = status
    await post(here)
    await service.next()
    await until(lambda: not here.node.services.pushers.of(here.user(NAME)))


async def test_whoever_logs_out_is_told_nothing_more(here: Site, log_in: LogIn, service: PushService) -> None:
    browser = await subscribed(here, log_in, service)
    await browser.get("/my")
    await browser.submit("/logout")
    assert here.node.services.pushers.of(here.user(NAME)) == []


async def test_another_password_ends_what_a_lost_telephone_is_told(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    await subscribed(here, log_in, service)
    await here.set_password(NAME, "another-password-9")
    await post(here)
    await until(lambda: not here.node.services.pushers.of(here.user(NAME)))
    assert service.asked == 0


async def test_in_quiet_hours_only_alarms_ring_and_the_rest_comes_afterwards(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    await subscribed(here, log_in, service)
    now = tokyo_time(here.node.core.clock.now_ms())
    minute = now.hour * 60 + now.minute
    quiet = replace(ALWAYS, quiet_from=minute - minute % 60, quiet_to=(minute - minute % 60 + 120) % 1440)
    await here.node.accounts.looks.set(here.user(NAME), quiet)
    await post(here, "そうじ当番")
    await post(here, "避難してください", Category.DISASTER)
    await service.next()
    assert [item.said["body"] for item in service.pushed] == ["避難してください"]
    assert service.pushed[0].said["alert"]
    assert service.pushed[0].headers["Urgency"] == "high"


async def test_what_has_waited_through_the_night_comes_afterwards_also_after_a_restart(
    tmp_path: Path, service: PushService
) -> None:
    async with site(tmp_path, outgoing="127.0.0.0/8") as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        browser = Browser(here.url, http)
        await browser.log_in(await here.set_password(NAME), PASSWORD)
        await switch_on(browser, service)
        database, clock = here.node.core.database, here.node.core.clock
        now = tokyo_time(clock.now_ms())
        minute = now.hour * 60 + now.minute
        night = replace(ALWAYS, quiet_from=minute, quiet_to=(minute - 1) % 1440)
        await here.node.accounts.looks.set(here.user(NAME), night)
        await post(here, "そうじ当番")
        far = clock.now_ms() + 2 * 86_400_000
        async with asyncio.timeout(60):
            while not (waiting := await due_waiting(database, far, 10)):
                await asyncio.sleep(0.02)
        assert service.asked == 0
        years_ago = clock.now_ms() - 10 * 365 * 86_400_000
        assert await due_waiting(database, years_ago, 10) == waiting, "a clock that is set back holds nothing back"
        writes = Writes()
        add_waiting(writes, waiting[0]._replace(due_ts=0))
        await database.submit(writes)
        await here.node.accounts.looks.set(here.user(NAME), ALWAYS)
    async with site(tmp_path, outgoing="127.0.0.0/8") as again:
        await service.next()
        assert [item.said["body"] for item in service.pushed] == ["そうじ当番"]
        async with asyncio.timeout(60):
            while await due_waiting(again.node.core.database, far, 10):
                await asyncio.sleep(0.02)


async def test_what_is_muted_does_not_ring(here: Site, log_in: LogIn, service: PushService) -> None:
    browser = await subscribed(here, log_in, service)
    await browser.get("/my/news")
    await browser.submit("/my/news", {"ring": ["poll"], "quiet_from": "0", "quiet_to": "0"})
    await post(here)
    question = Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    await here.node.association.polls.start(here.user(CHAIR), question)
    await service.next()
    assert [item.said["title"] for item in service.pushed] == ["アンケート"]


async def test_what_is_important_rings_where_circulars_are_muted_and_waits_for_the_morning(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    browser = await subscribed(here, log_in, service)
    await browser.get("/my/news")
    await browser.submit("/my/news", {"ring": [], "quiet_from": "0", "quiet_to": "0"})
    await post(here)
    await post(here, "配る日の変更", is_important=True)
    await service.next()
    assert [item.said["body"] for item in service.pushed] == ["配る日の変更"]
    assert not service.pushed[0].said["alert"]


@pytest.mark.parametrize("endpoint", [
    "http://example.org/push", "https://", "javascript:alert(1)", "file:///etc/passwd", "https://user@example.org/",
    "https://" + "a" * 2000, "http://10.0.0.1/push", "",
])  # fmt: skip
async def test_an_endpoint_is_https_and_no_address_of_ours(
    here: Site, log_in: LogIn, service: PushService, endpoint: str
) -> None:
    browser = await log_in(NAME)
    await browser.get("/my/news")
    page = await browser.submit("/my/news/on", {**service.subscription, "endpoint": endpoint})
    assert page.status == 400
    assert here.node.services.pushers.of(here.user(NAME)) == []


@pytest.mark.parametrize("broken", [{"p256dh": "AAAA"}, {"auth": "!!!"}, {"auth": ""}, {"p256dh": "あ"}])
async def test_broken_keys_are_refused(
    here: Site, log_in: LogIn, service: PushService, broken: dict[str, str]
) -> None:
    browser = await log_in(NAME)
    await browser.get("/my/news")
    assert (await browser.submit("/my/news/on", {**service.subscription, **broken})).status == 400


async def test_a_private_address_is_never_asked(tmp_path: Path, service: PushService) -> None:
    """Also https, also by a name: what counts is the address of the socket (server/foundation/outgoing.py)."""
    gateways = Gateways(())
    for url in (service.url, service.url.replace("127.0.0.1", "localhost"), service.url.replace("127.0.0.1", "[::1]")):
        assert await gateways.post(f"{url}/push/abc", b"x", {}) is None
    await gateways.close()
    assert service.asked == 0


def test_a_message_of_100_kilobytes_is_cut() -> None:
    payload = {"title": "題" * 100, "body": "あ" * 100_000, "tag": "x", "actions": [], "token": "t"}
    message = Message(payload, False, "x")
    assert len(message.as_bytes()) <= MOST_BYTES
    assert json.loads(message.as_bytes())["body"].startswith("あ")


async def test_officers_see_whom_nothing_reaches(here: Site, log_in: LogIn, service: PushService) -> None:
    chair = await log_in(CHAIR)
    assert NAME in (await chair.get("/desk/unreached")).text
    resident = await subscribed(here, log_in, service)
    page = await chair.get("/desk/unreached")
    assert NAME not in page.text
    assert "高橋 美咲" in page.text
    assert (await resident.get("/desk/unreached")).status == 403


async def test_matrix_clients_are_not_told_of_browsers(here: Site, log_in: LogIn, service: PushService) -> None:
    await subscribed(here, log_in, service)
    key = here.node.core.settings.data_dir / "web_push.key"
    assert key.stat().st_mode & 0o777 == 0o600


async def until(holds: object, seconds: float = 10) -> None:
    assert callable(holds)
    for _ in range(int(seconds / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it has not happened")


async def test_a_family_with_one_telephone_is_told_there_with_names(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    """Whoever comes onto the telephone afterwards is told there, too, and whoever goes is told no more."""
    phone = await subscribed(here, log_in, service)
    await post(here)
    await service.next()
    assert "name" not in service.pushed[0].said
    await move_in(here, TARO)
    await here.node.accounts.looks.set(here.user(TARO), ALWAYS)
    await add(phone, here, TARO)
    service.pushed.clear()
    await post(here, "清掃")
    while len(service.pushed) < 2:
        await service.next()
    assert {item.said["name"] for item in service.pushed} == {NAME, TARO}
    assert len({item.said["tag"] for item in service.pushed}) == 1
    assert len({item.headers["Topic"] for item in service.pushed}) == 2
    await phone.get("/my/family")
    await phone.submit("/my/family/remove", {"person": here.person(TARO).id})
    assert not here.node.core.services.pushers.of(here.user(TARO))
    assert "この電話は、しらせを うけとります" in (await phone.get("/my/news")).text


async def test_switching_on_and_off_is_for_all_on_the_telephone(
    here: Site, log_in: LogIn, service: PushService
) -> None:
    phone = await family_phone(here, log_in, TARO)
    pushers = here.node.core.services.pushers
    await switch_on(phone, service)
    assert [len(pushers.of(here.user(name))) for name in (NAME, TARO)] == [1, 1]
    assert "この電話は、しらせを うけとります" in (await change_and_see(phone, here)).text
    await phone.submit("/my/news/off")
    assert [len(pushers.of(here.user(name))) for name in (NAME, TARO)] == [0, 0]


async def change_and_see(phone: Browser, here: Site) -> PageRead:
    await change_to(phone, here, TARO)
    return await phone.get("/my/news")
