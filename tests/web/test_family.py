"""Family on one telephone: coming onto it, changing over, never as somebody else by mistake, going one by one."""

from __future__ import annotations

import re

import pytest
from yarl import URL

from server.accounts.web_sessions import WebSessions
from server.association.members.model import EVERYONE
from server.association.polls.model import Question
from server.association.safety_checks.desk import SafetyDesk
from server.web import family_phone as shared_telephone
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.household import HANAKO, SAKURA, TARO, add, change_to, family_phone, move_in
from tests.web.site import CHAIR, PASSWORD, Site


def tokens(browser: Browser) -> str:
    return {cookie.key: cookie.value for cookie in browser.http.cookie_jar}.get("kairan-family", "")


async def poll_for_all(here: Site) -> str:
    question = Question(text="夏まつりに 来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    return (await here.node.association.polls.start(here.chief, question)).id


async def test_somebody_comes_onto_the_telephone_by_their_own_number(here: Site, log_in: LogIn) -> None:
    phone = await log_in(HANAKO)
    await move_in(here, TARO)
    theirs = await log_in(TARO)
    await theirs.get("/my/family")
    page = await theirs.submit("/my/family/card")
    code = re.search(r'class="arrived code">([^<]+)<', page.html)
    assert code is not None
    await phone.get("/code")
    page = await phone.submit("/code", {"code": code[1]})
    assert "この電話を 家族で 使う" in page.text
    page = await phone.submit("/come-in", {"how": "family"})
    assert "佐藤 太郎さんに かわる" in page.text
    page = await phone.get("/")
    assert "佐藤 花子さん" in page.text
    page = await change_to(phone, here, TARO)
    assert "<h1>佐藤 太郎さん</h1>" in page.html
    assert (await theirs.get("/my")).url == "/my"
    desk = here.node.association.members.desk_room_of(here.person(TARO).id)
    room = await here.node.services.rooms.get(str(desk))
    assert any("家族の電話でも" in str(item.event.content.get("body")) for item in room.timeline)
    # And somebody who was never here, by their invitation.
    sakura = await move_in(here, SAKURA, account=False)
    card = (await here.invitations.cards_for(here.chief, [sakura]))[0]
    await phone.get("/code")
    page = await phone.submit("/code", {"code": card.code})
    fields = [*page.form("/come-in").fields, ("how", "family")]
    async with phone.http.post(f"{phone.url}/come-in", data=fields, allow_redirects=False) as answer:
        said = next(item for item in answer.headers.getall("Set-Cookie") if item.startswith("kairan-family="))
    for word in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in said
    assert "佐藤 さくらさんに かわる" in (await phone.get("/my/family")).text


async def test_neighbours_cannot_be_added_and_a_family_number_is_for_the_family(
    here: Site, log_in: LogIn, stranger: Browser
) -> None:
    phone = await log_in(HANAKO)
    card = (await here.invitations.cards_for(here.chief, [await here.add("山田 次郎", "2班", account=False)]))[0]
    await phone.get("/code")
    page = await phone.submit("/code", {"code": card.code})
    assert "家族で 使う" not in page.text
    assert (await phone.submit("/come-in", {"how": "family"})).status == 403
    own = await here.invitations.family_card(here.user("鈴木 一郎"))
    for browser in (phone, stranger):
        await browser.get("/code")
        page = await browser.submit("/code", {"code": own.code})
        assert "おなじ家の人" in page.text
        for how in ("here", "app", "family"):
            proof = {"form_proof": dict(page.form("/logout").fields)["form_proof"]} if browser is phone else {}
            refused = await browser.post("/come-in", {"secret": own.code, "how": how, **proof})
            assert refused.status in (401, 403) or refused.url.startswith("/login"), how
    assert tokens(phone) == ""


async def test_a_form_of_one_is_not_sent_as_another_one(here: Site, log_in: LogIn) -> None:
    phone, poll = await family_phone(here, log_in, TARO), await poll_for_all(here)
    old = await phone.get(f"/polls/{poll}")
    assert "佐藤 花子さんとして こたえます" in old.text
    fields = [*old.form(f"/polls/{poll}").fields, ("choice", "c1")]
    await phone.get("/")
    page = await change_to(phone, here, TARO)
    assert "<h1>佐藤 太郎さん</h1>" in page.html
    page = await phone.post(f"/polls/{poll}", fields)
    assert page.status == 409
    assert "佐藤 花子さんの ときの 画面です" in page.text
    results = here.node.association.polls.results
    for name in (HANAKO, TARO):
        (asked,) = await results.polls_for(here.user(name))
        assert asked.chosen == ()
    # But one may change over from such a page.
    page = await phone.post("/family", {**dict(old.form("/family").fields), "person": here.person(HANAKO).id})
    assert "<h1>佐藤 花子さん</h1>" in page.html
    page = await phone.post(f"/polls/{poll}", fields)
    assert "届きました" in page.text
    assert [(await results.polls_for(here.user(name)))[0].chosen for name in (HANAKO, TARO)] == [("c1",), ()]


async def test_everybody_has_their_own_number_of_what_is_new(here: Site, log_in: LogIn) -> None:
    phone, poll = await family_phone(here, log_in, TARO), await poll_for_all(here)
    assert "佐藤 太郎さんに かわる 1 件 まだ" in (await phone.get("/")).text
    await here.node.association.polls.answer(here.user(TARO), poll, ["c1"])
    assert "佐藤 太郎さんに かわる 佐藤" not in (await phone.get("/")).text
    assert "1 件 まだ" not in (await phone.get("/")).text.split("本文へ")[1].split("ホームへ")[0]


async def test_a_check_is_answered_for_all_on_one_page_each_in_their_own_name(here: Site, log_in: LogIn) -> None:
    phone, association = await family_phone(here, log_in, TARO, SAKURA), here.node.association
    check = await association.safety_checks.announce(here.chief, "地震", EVERYONE, drill=True)
    await association.safety_checks.ask(check.id)
    page = await phone.get("/safety")
    path = f"/safety/{check.id}/family"
    assert "みんな 無事です 佐藤 花子・佐藤 太郎・佐藤 さくら" in page.text
    await phone.submit(path, {f"status-{here.person(SAKURA).id}": "help"})
    page = await phone.submit(path, {"all": "safe"})
    assert page.text.count("佐藤 花子さんが かわりに こたえました") == 2
    desk = SafetyDesk(here.node.core.database, association.members)
    ledger = {}
    for name in (HANAKO, TARO, SAKURA):
        (entered,) = await desk.history(here.chief, check.id, here.person(name).id)
        ledger[name] = (entered.answer.status, entered.answer.entered_by)
    hanako = here.user(HANAKO)
    assert ledger == {HANAKO: ("safe", ""), TARO: ("safe", hanako), SAKURA: ("help", hanako)}
    table = await (await log_in(CHAIR)).get(f"/desk/safety/{check.id}/people")
    assert table.text.count("アプリ（佐藤 花子）") == 2
    await phone.submit(path)
    assert len(await desk.history(here.chief, check.id, here.person(TARO).id)) == 1


async def test_each_goes_from_the_telephone_alone_and_there_is_an_end_to_coming(
    here: Site, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_telephone, "MOST", 3)
    phone = await family_phone(here, log_in, TARO, SAKURA)
    await move_in(here, "佐藤 四郎")
    assert (await add(phone, here, "佐藤 四郎")).status == 409
    hanako, taro, sakura = tokens(phone).split(".")
    await phone.get("/my/family")
    page = await phone.submit("/my/family/remove", {"person": here.person(TARO).id})
    assert "この電話から はずしました" in page.text
    assert tokens(phone).split(".") == [hanako, sakura]
    phone.take_cookie(taro)
    assert (await phone.get("/my")).url.startswith("/login")
    phone.http.cookie_jar.update_cookies({"kairan": hanako, "kairan-family": f"{hanako}.{sakura}"}, URL(phone.url))
    await phone.get("/my")
    page = await phone.submit("/logout")
    assert "<h1>佐藤 さくらさん</h1>" in page.html
    assert tokens(phone) == ""
    await phone.submit("/logout")
    for token in (hanako, sakura):
        phone.take_cookie(token)
        assert (await phone.get("/my")).url.startswith("/login")


async def test_whose_session_ends_elsewhere_leaves_the_others_there(here: Site, log_in: LogIn) -> None:
    phone = await family_phone(here, log_in, TARO)
    await here.set_password(HANAKO, "something-else-8")
    page = await phone.get("/")
    assert "<h1>佐藤 太郎さん</h1>" in page.html
    assert "かわる" not in page.text


async def test_whoever_logs_in_anew_ends_all_on_the_telephone(here: Site, log_in: LogIn) -> None:
    phone = await family_phone(here, log_in, TARO)
    _, taro = tokens(phone).split(".")
    card = (await here.invitations.cards_for(here.chief, [await here.add("山田 次郎", "2班", account=False)]))[0]
    await phone.get("/code")
    await phone.submit("/code", {"code": card.code})
    await phone.submit("/come-in", {"how": "here"})
    assert tokens(phone) == ""
    phone.take_cookie(taro)
    assert (await phone.get("/my")).url.startswith("/login")


async def test_no_other_site_changes_who_is_at_the_screen(here: Site, log_in: LogIn) -> None:
    phone = await family_phone(here, log_in, TARO)
    ways = ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"})
    for path, headers in zip(("/family", "/my/family/remove"), ways, strict=True):
        page = await phone.post(path, {"person": here.person(TARO).id})
        assert page.status == 403
        await phone.get("/my/family")
        page = await phone.submit(path, {"person": here.person(TARO).id}, headers=headers)
        assert page.status == 403
    assert "<h1>佐藤 花子さん</h1>" in (await phone.get("/")).html


async def test_a_made_up_second_cookie_opens_nothing(here: Site, stranger: Browser) -> None:
    await move_in(here, TARO)
    user = await here.set_password("鈴木 一郎")
    for wrong in ("x", "....", "a" * 43, "." * 9_00):
        stranger.http.cookie_jar.update_cookies({"kairan-family": wrong}, URL(stranger.url))
        assert (await stranger.get("/my")).url.startswith("/login")
    await stranger.log_in(user, PASSWORD)
    # Somebody else's live session behind one's own is not one's family.
    stolen = await add_session(here, TARO)
    stranger.http.cookie_jar.update_cookies({"kairan-family": stolen}, URL(stranger.url))
    page = await stranger.get("/")
    assert "<h1>鈴木 一郎さん</h1>" in page.html
    assert "かわる" not in page.text


async def add_session(here: Site, name: str) -> str:
    core = here.node.core
    return await WebSessions(core.database, core.clock, core.accounts.users).begin(here.user(name))
