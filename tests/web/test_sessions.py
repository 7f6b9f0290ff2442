"""Who is logged in, and what protects their browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp import BasicAuth, ClientSession, CookieJar, TCPConnector

from server.web.security import own_path
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import PASSWORD, Site, site


async def test_a_stranger_sees_the_ways_in_and_nothing_else(stranger: Browser) -> None:
    page = await stranger.get("/")
    assert page.status == 200
    assert "招待番号" in page.text
    for path in ("/my", "/safety", "/desk", "/desk/safety", "/desk/roster", "/circulars"):
        page = await stranger.get(path)
        assert page.url.startswith("/login?next=")


async def test_login_leads_back_to_the_page_that_was_asked_for(here: Site, stranger: Browser) -> None:
    user = await here.set_password("佐藤 花子")
    await stranger.get("/my")
    page = await stranger.submit("/login", {"user": user, "password": PASSWORD})
    assert page.url == "/my"
    assert "佐藤 花子" in page.text


async def test_a_full_user_id_in_wide_letters_is_understood(here: Site, stranger: Browser) -> None:
    user = await here.set_password("佐藤 花子")
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in user.upper())
    page = await stranger.log_in(wide, PASSWORD)
    assert page.url == "/"


async def test_the_cookie_changes_at_login_and_at_logout(here: Site, stranger: Browser) -> None:
    await stranger.get("/login")
    before = stranger.cookie
    await stranger.log_in(await here.set_password("佐藤 花子"), PASSWORD)
    inside = stranger.cookie
    assert inside not in (None, before)
    await stranger.get("/my")
    await stranger.submit("/logout")
    assert stranger.cookie not in (None, inside)
    stranger.take_cookie(str(inside))
    assert (await stranger.get("/my")).url.startswith("/login")


async def test_a_cookie_that_somebody_else_has_chosen_never_becomes_a_session(here: Site, stranger: Browser) -> None:
    chosen = "a" * 32
    stranger.take_cookie(chosen)
    await stranger.log_in(await here.set_password("佐藤 花子"), PASSWORD)
    assert stranger.cookie != chosen
    stranger.take_cookie(chosen)
    assert (await stranger.get("/my")).url.startswith("/login")


async def test_a_cookie_is_out_of_reach_for_scripts_and_other_sites(stranger: Browser) -> None:
    page = await stranger.get("/login")
    assert "HttpOnly" in page.headers["Set-Cookie"]
    assert "SameSite=Lax" in page.headers["Set-Cookie"]
    assert "Secure" not in page.headers["Set-Cookie"]


async def test_a_wrong_password_and_an_unknown_user_read_the_same(here: Site, stranger: Browser) -> None:
    user = await here.set_password("佐藤 花子")
    wrong = await stranger.log_in(user, "guess")
    unknown = await stranger.log_in("nobody", "guess")
    nonsense = await stranger.log_in("@:::", "guess")
    assert wrong.status == unknown.status == nonsense.status == 403
    assert "ちがいます" in wrong.text
    assert wrong.text.replace(user, "") == unknown.text.replace("nobody", "")


async def test_another_password_ends_the_sessions(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    assert (await hanako.get("/my")).url == "/my"
    await here.set_password("佐藤 花子", "something-else-8")
    assert (await hanako.get("/my")).url.startswith("/login")


async def test_a_closed_account_is_out_at_once(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    await here.node.accounts.deactivate(here.user("佐藤 花子"))
    assert (await hanako.get("/my")).url.startswith("/login")


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
])  # fmt: skip
async def test_a_form_of_another_site_is_refused(chair: Browser, headers: dict[str, str]) -> None:
    await chair.get("/my")
    page = await chair.submit("/my/calendar", {"label": "台所の板"}, headers=headers)
    assert page.status == 403
    assert "町内会のページからではありません" in page.text
    assert "台所の板" not in (await chair.get("/my")).text


@pytest.mark.parametrize("proof", ["", "x", "A" * 43, "ん"])
async def test_a_form_without_its_proof_is_refused(chair: Browser, proof: str) -> None:
    await chair.get("/my")
    page = await chair.submit("/my/calendar", {"label": "電話", "form_proof": proof})
    assert page.status == 403


async def test_the_proof_of_another_browser_does_not_help(chair: Browser, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    theirs = dict((await hanako.get("/my")).form("/my/calendar").fields)["form_proof"]
    await chair.get("/my")
    assert (await chair.submit("/my/calendar", {"label": "電話", "form_proof": theirs})).status == 403


async def test_a_form_of_many_parts_needs_its_proof_before_a_file(chair: Browser) -> None:
    await chair.get("/desk/roster/import")
    page = await chair.submit("/desk/roster/import", {"form_proof": []}, files=[("file", "a.csv", "text/csv", b"x")])
    assert page.status == 403


async def test_an_own_form_with_the_headers_of_a_browser_is_taken(here: Site, chair: Browser) -> None:
    await chair.get("/my")
    page = await chair.submit(
        "/my/calendar", {"label": "母の電話"}, headers={"Origin": here.url, "Sec-Fetch-Site": "same-origin"}
    )
    assert page.status == 200
    assert "1回だけ" in page.text


async def test_all_answers_carry_the_headers_that_protect(stranger: Browser) -> None:
    for path in ("/", "/login", "/no/such/page", "/static/style.css"):
        page = await stranger.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_pages_are_not_kept_by_the_browser(chair: Browser) -> None:
    assert (await chair.get("/")).headers["Cache-Control"] == "no-store"


async def test_an_unknown_page_says_so_in_japanese(chair: Browser) -> None:
    page = await chair.get("/no/such/page")
    assert page.status == 404
    assert "ありません" in page.text


async def test_a_wrong_method_is_refused(chair: Browser) -> None:
    async with chair.http.delete(chair.url + "/my") as answer:
        assert answer.status == 405


async def test_a_resident_cannot_open_the_desk(log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    for path in (
        "/desk", "/desk/safety", "/desk/safety/new", "/desk/roster", "/desk/roster/new", "/desk/roster/import",
        "/desk/circulars", "/desk/circulars/new", "/desk/polls", "/desk/polls/new", "/desk/gatherings",
        "/desk/gatherings/new", "/desk/invitations",
    ):
        page = await hanako.get(path)
        assert page.status == 403, path
        assert "役員" in page.text


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nX: y", "", "my"])
def test_after_login_nobody_is_sent_to_another_site(path: str) -> None:
    assert own_path(path) == "/"


async def test_a_person_of_this_page_has_a_name_on_the_roster(here: Site, stranger: Browser) -> None:
    await here.node.accounts.create_user("robot", PASSWORD)
    page = await stranger.log_in("robot", PASSWORD)
    assert "名簿に まだ 名前が ありません" in page.text
    assert (await stranger.get("/safety")).status == 403


async def test_after_many_wrong_passwords_one_must_wait(tmp_path: Path) -> None:
    async with site(tmp_path, limits=True) as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        browser = Browser(here.url, http)
        user = await here.set_password("佐藤 花子")
        answers = [(await browser.log_in(user, f"guess {number}")).status for number in range(11)]
        assert answers == [403] * 10 + [429]
        page = await browser.log_in(user, PASSWORD)
        assert page.status == 429
        assert "まって" in page.text
        assert int(page.headers["Retry-After"]) > 0


async def test_who_guesses_does_not_lock_the_owner_out(tmp_path: Path) -> None:
    async with site(tmp_path, limits=True) as here, ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        user = await here.set_password("佐藤 花子")
        guesser = Browser(here.url, http)
        answers = [(await guesser.log_in(user, "guess")).status for _ in range(11)]
        assert answers == [403] * 10 + [429]
        connector = TCPConnector(local_addr=("127.0.0.2", 0))
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), connector=connector) as elsewhere:
            assert (await Browser(here.url, elsewhere).log_in(user, PASSWORD)).url == "/"


async def test_a_locked_account_is_turned_away_until_it_is_unlocked(here: Site, stranger: Browser) -> None:
    user, user_id = await here.set_password("佐藤 花子"), here.user("佐藤 花子")
    await stranger.log_in(user, PASSWORD)
    await here.node.accounts.hold(user_id, locked=True)
    assert (await stranger.get("/my")).url.startswith("/login")
    assert (await stranger.log_in(user, PASSWORD)).status == 401
    await here.node.accounts.hold(user_id, locked=False)
    assert "佐藤 花子" in (await stranger.get("/my")).text


async def test_who_closes_their_account_in_a_client_can_be_invited_again(here: Site, stranger: Browser) -> None:
    person = here.person("佐藤 花子")
    await here.node.accounts.deactivate(str(person.user_id))
    assert here.person("佐藤 花子").user_id is None
    card = (await here.invitations.cards_for(here.chief, [here.person("佐藤 花子")]))[0]
    await stranger.get("/code")
    await stranger.submit("/code", {"code": card.code})
    page = await stranger.submit("/come-in", {"how": "here"})
    assert (page.url, "佐藤 花子さん" in page.text) == ("/", True)
    assert here.user("佐藤 花子") != person.user_id


async def test_no_calendar_app_comes_in_by_a_closed_account(here: Site, stranger: Browser) -> None:
    user_id = here.user("佐藤 花子")
    await stranger.log_in(await here.set_password("佐藤 花子"), PASSWORD)
    await stranger.get("/my")
    page = await stranger.submit("/my/calendar", {"label": "電話"})
    secret = re.search(r'パスワード</dt><dd class="code">([^<]+)<', page.html)
    assert secret is not None
    login = BasicAuth(user_id[1:].partition(":")[0], secret[1])

    async def calendar_app(method: str = "PROPFIND", path: str = "/dav/") -> int:
        async with ClientSession() as http, http.request(method, f"{here.url}{path}", auth=login) as answer:
            return answer.status

    assert await calendar_app() == 207
    await here.node.accounts.hold(user_id, locked=True)
    assert await calendar_app() == 403
    await here.node.accounts.hold(user_id, locked=False, suspended=True)
    extra = f"/dav/calendars/{user_id[1:].partition(':')[0]}/extra/"
    assert (await calendar_app(), await calendar_app("MKCALENDAR", extra)) == (207, 403)
    await here.node.accounts.hold(user_id, suspended=False)
    assert (await calendar_app(), await calendar_app("MKCALENDAR", extra)) == (207, 201)
    await here.node.accounts.deactivate(user_id)
    assert await calendar_app() == 401
