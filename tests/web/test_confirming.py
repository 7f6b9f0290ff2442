"""What a Matrix client opens in a browser: confirming, agreeing, giving a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from server.accounts.interactive_auth import Demand
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import PASSWORD, Site, site

HANAKO, ICHIRO = "佐藤 花子", "鈴木 一郎"


class App:
    """Somebody's Matrix client, and the device that it wants to remove."""

    def __init__(self, here: Site, user_id: str, tokens: tuple[str, str]) -> None:
        self.here = here
        self.user_id = user_id
        self.token, self.other_device = tokens
        self.session = ""

    async def delete(self, **auth: Any) -> tuple[int, Any]:
        """Ask for the removal, with what is known of the session."""
        body: dict[str, Any] = {"devices": [self.other_device]}
        if self.session:
            body["auth"] = {"session": self.session, **auth}
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.here.url}/_matrix/client/v3/delete_devices"
        async with ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
            found = await answer.json()
        self.session = found.get("session", self.session)
        return answer.status, found

    async def devices(self) -> list[str]:
        return [item.device_id for item in await self.here.node.accounts.sessions.devices(self.user_id)]

    @property
    def page(self) -> str:
        return f"/_matrix/client/v3/auth/m.login.sso/fallback/web?session={self.session}"

    @property
    def form(self) -> str:
        return f"/auth/m.login.sso/{self.session}"


async def app_of(here: Site, name: str) -> App:
    """A client that has asked to remove another device, and has been told to confirm."""
    user_id = here.user(name)
    token, _ = await here.node.accounts.create_session(user_id)
    _, other = await here.node.accounts.create_session(user_id)
    app = App(here, user_id, (token, other))
    status, answer = await app.delete()
    assert status == 401, answer
    return app


def require_done(page: PageRead) -> None:
    """The page that tells the client so."""
    assert page.status == 200
    assert any(src.startswith("/static/auth_done.js?") for src in page.scripts)
    assert page.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"


async def test_people_without_a_password_are_sent_to_the_browser_only(here: Site) -> None:
    app = await app_of(here, HANAKO)
    _, answer = await app.delete()
    assert answer["flows"] == [{"stages": ["m.login.sso"]}]


async def test_who_is_logged_in_here_confirms_with_one_tap(here: Site, log_in: LogIn) -> None:
    browser = await log_in(HANAKO)
    app = await app_of(here, HANAKO)
    page = await browser.get(app.page)
    assert page.url == app.form
    assert "ほかの機器の ログインを けします" in page.text
    assert app.user_id in page.text
    assert (await app.delete())[0] == 401, "looking confirms nothing"
    require_done(await browser.submit(app.form, {"how": "here"}))
    assert (await app.delete())[0] == 200
    assert app.other_device not in await app.devices()


async def test_the_old_path_leads_to_the_same_page(here: Site, stranger: Browser) -> None:
    app = await app_of(here, HANAKO)
    page = await stranger.get(app.page.replace("/v3/", "/r0/"))
    assert page.url == app.form


async def test_a_new_card_confirms_once(here: Site, stranger: Browser) -> None:
    app = await app_of(here, HANAKO)
    card = (await here.invitations.cards_for(here.chief, [here.person(HANAKO)]))[0]
    await stranger.get(app.page)
    require_done(await stranger.submit(app.form, {"how": "code", "code": card.code}))
    assert (await app.delete())[0] == 200
    again = await app_of(here, HANAKO)
    await stranger.get(again.page)
    page = await stranger.submit(again.form, {"how": "code", "code": card.code})
    assert page.status == 403
    assert (await again.delete())[0] == 401


async def test_the_card_of_somebody_else_confirms_nothing_and_stays_good(here: Site, stranger: Browser) -> None:
    app = await app_of(here, HANAKO)
    card = (await here.invitations.cards_for(here.chief, [here.person(ICHIRO)]))[0]
    await stranger.get(app.page)
    page = await stranger.submit(app.form, {"how": "code", "code": card.code})
    assert (page.status, "ほかの人" in page.text) == (403, True)
    assert (await app.delete())[0] == 401
    _, person = await here.invitations.look_at(card.code, "192.0.2.1")
    assert person is not None


async def test_a_password_confirms_too_and_a_wrong_one_does_not(here: Site, stranger: Browser) -> None:
    app = await app_of(here, HANAKO)
    await here.node.accounts.set_password(app.user_id, PASSWORD, log_out=False)
    await stranger.get(app.page)
    assert (await stranger.submit(app.form, {"how": "password", "password": "wrong"})).status == 403
    assert (await app.delete())[0] == 401
    await stranger.get(app.page)
    require_done(await stranger.submit(app.form, {"how": "password", "password": PASSWORD}))
    assert (await app.delete())[0] == 200


@pytest.mark.parametrize("how", ["here", "", "anything"])
async def test_somebody_else_confirms_nothing(here: Site, log_in: LogIn, how: str) -> None:
    browser = await log_in(ICHIRO)
    app = await app_of(here, HANAKO)
    page = await browser.get(app.page)
    assert "ほかの人が ログインしています" in page.text
    assert (await browser.submit(app.form, {"how": how})).status == 403
    assert (await app.delete())[0] == 401


async def test_a_form_from_elsewhere_confirms_nothing(here: Site, log_in: LogIn) -> None:
    browser = await log_in(HANAKO)
    app = await app_of(here, HANAKO)
    assert (await browser.post(app.form, {"how": "here"})).status == 403
    assert (await app.delete())[0] == 401


@pytest.mark.parametrize("path", [
    "/auth/m.login.sso/nothing", "/_matrix/client/v3/auth/m.login.sso/fallback/web?session=nothing",
])
async def test_an_unknown_session_has_no_page(stranger: Browser, path: str) -> None:
    assert (await stranger.get(path)).status == 404


async def test_a_stage_that_is_not_asked_for_has_no_page(here: Site, stranger: Browser) -> None:
    app = await app_of(here, HANAKO)
    assert (await stranger.get(app.page.replace("sso", "terms"))).status == 404
    assert (await stranger.get(app.form.replace("sso", "password"))).status == 404


@pytest.mark.parametrize("stage", ["m.login.dummy", "m.login.terms"])
async def test_stages_of_a_registration_are_done_with_one_tap(here: Site, stranger: Browser, stage: str) -> None:
    session = _begun(here, stage)
    form = f"/auth/{stage}/{session}"
    await stranger.get(form)
    require_done(await stranger.submit(form))
    assert _completed(here, session) == [stage]


async def test_a_registration_token_is_checked_on_its_page(here: Site, stranger: Browser) -> None:
    await here.node.accounts.users.allow_registration("good", uses=1)
    session = _begun(here, "m.login.registration_token")
    form = f"/auth/m.login.registration_token/{session}"
    await stranger.get(form)
    assert (await stranger.submit(form, {"token": "bad"})).status == 403
    assert _completed(here, session) == []
    require_done(await stranger.submit(form, {"token": "good"}))
    assert _completed(here, session) == ["m.login.registration_token"]


def _begun(here: Site, stage: str) -> str:
    return here.interactive_auth.session({}, Demand("register", ((stage,),)), {}).id


def _completed(here: Site, session_id: str) -> list[str]:
    session = here.interactive_auth.find(session_id)
    assert session is not None
    return session.completed


async def test_texts_are_agreed_to_on_their_page(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "kiyaku.2026.ja.txt").write_text("会則\n\n<b>なかよく</b>", "utf-8")
    async with site(tmp_path, consent=folder) as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        browser, user_id = Browser(here.url, http), here.user(HANAKO)
        page = await browser.get("/terms")
        assert ("会則" in page.text, "まだ 同意していません" in page.text) == (True, False)
        assert "&lt;b&gt;なかよく" in (await browser.get("/terms/kiyaku/2026/ja")).html
        await browser.log_in(await here.set_password(HANAKO), PASSWORD)
        page = await browser.get("/terms")
        assert "まだ 同意していません" in page.text
        assert (await browser.post("/terms", {})).status == 403
        assert await here.node.accounts.consents.given_by(user_id) == []
        await browser.get("/terms")
        page = await browser.submit("/terms")
        assert "すべて 同意ずみです" in page.text
        assert [item.version for item in await here.node.accounts.consents.given_by(user_id)] == ["2026"]
