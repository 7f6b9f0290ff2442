"""From the printed card to the home page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import ClientSession, CookieJar

from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.site import Site


async def card_for(here: Site, name: str, *, block: str = "1班") -> tuple[str, str]:
    """A card for somebody who is new on the roster: the path of its link, and its code."""
    person = await here.add(name, block, account=False)
    card = (await here.invitations.cards_for(here.chief, [person]))[0]
    return urlsplit(card.link).path, card.code


async def test_a_link_shows_the_name_and_two_ways(here: Site, stranger: Browser) -> None:
    path, _ = await card_for(here, "渡辺 千代")
    page = await stranger.get(path)
    assert "桜町町内会" in page.text
    assert "渡辺 千代 さん" in page.text
    assert page.form("/come-in").buttons == [("how", "here"), ("how", "app")]


async def test_use_here_leads_to_the_home_page_in_one_tap(here: Site, stranger: Browser) -> None:
    path, _ = await card_for(here, "渡辺 千代")
    await stranger.get(path)
    before = stranger.cookie
    page = await stranger.submit("/come-in", {"how": "here"})
    assert page.url == "/"
    assert "渡辺 千代さん" in page.text
    assert stranger.cookie != before
    user_id = here.user("渡辺 千代")
    assert await here.node.accounts.sessions.devices(user_id) == []


async def test_looking_uses_nothing_up_and_coming_in_uses_the_card_up(here: Site, stranger: Browser) -> None:
    path, code = await card_for(here, "渡辺 千代")
    for _ in range(3):
        assert (await stranger.get(path)).status == 200
    await stranger.submit("/come-in", {"how": "here"})
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        other = Browser(here.url, http)
        assert (await other.get(path)).status == 404
        await other.get("/code")
        page = await other.submit("/code", {"code": code})
        assert page.status == 404
        assert "使えません" in page.text


async def test_a_code_is_understood_however_it_is_typed(here: Site, stranger: Browser) -> None:
    _, code = await card_for(here, "渡辺 千代")
    wide = "".join(chr(ord(char) + 0xFEE0) for char in code.replace("-", "").lower())
    await stranger.get("/code")
    page = await stranger.submit("/code", {"code": wide})
    assert "渡辺 千代 さん" in page.text


async def test_with_an_app_a_password_is_shown_once_and_works(here: Site, stranger: Browser) -> None:
    path, _ = await card_for(here, "渡辺 千代")
    await stranger.get(path)
    page = await stranger.submit("/come-in", {"how": "app"})
    assert "1回だけ" in page.text
    assert "sakura.example" in page.text
    shown = re.search(r"[a-z2-9]{5}(-[a-z2-9]{5}){3}", page.text)
    assert shown
    user_id = here.user("渡辺 千代")
    assert await here.node.accounts.users.authenticate(user_id, shown.group()) is not None
    assert await here.node.accounts.sessions.devices(user_id) == []
    assert (await stranger.get("/my")).url == "/my"


async def test_a_new_telephone_comes_in_with_a_new_card(here: Site, chair: Browser, stranger: Browser) -> None:
    person = here.person("佐藤 花子")
    page = await chair.get(f"/desk/roster/persons/{person.id}")
    assert f"/desk/phones/{person.id}" in page.links
    await chair.get(f"/desk/phones/{person.id}")
    page = await chair.submit(f"/desk/phones/{person.id}")
    assert "<svg" in page.html
    code = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", page.text)
    assert code
    await stranger.get("/code")
    await stranger.submit("/code", {"code": code.group()})
    page = await stranger.submit("/come-in", {"how": "here"})
    assert "佐藤 花子さん" in page.text
    assert here.person("佐藤 花子").user_id == person.user_id
    assert await here.node.accounts.sessions.devices(str(person.user_id)) == []


async def test_a_free_card_asks_for_name_and_block(here: Site, stranger: Browser) -> None:
    card = await here.invitations.free_card(here.chief)
    await stranger.get(urlsplit(card.link).path)
    page = await stranger.submit("/come-in", {"how": "here", "name": "小川 新", "block": "2班"})
    assert "小川 新さん" in page.text


async def test_cards_for_whole_blocks_come_as_pdf(here: Site, chair: Browser) -> None:
    await card_for(here, "渡辺 千代")
    await card_for(here, "小川 新", block="2班")
    page = await chair.get("/desk/invitations")
    assert "1班（まだの人 1人）" in page.text
    page = await chair.submit("/desk/invitations", {"each": "household"})
    assert page.headers["Content-Type"] == "application/pdf"
    assert page.html.startswith("%PDF")


async def test_guessing_codes_ends_after_ten_tries(here: Site, stranger: Browser) -> None:
    answers = []
    for _ in range(11):
        await stranger.get("/code")
        answers.append((await stranger.submit("/code", {"code": "ACDE-FGHJ"})).status)
    assert answers == [404] * 10 + [429]


async def test_a_resident_can_make_no_cards(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    assert (await hanako.get("/desk/invitations")).status == 403
    await hanako.get("/my")
    person = here.person("高橋 美咲")
    proof = dict(hanako.page.form("/my/calendar").fields) if hanako.page else {}
    page = await hanako.post(f"/desk/invitations/persons/{person.id}", proof)
    assert page.status == 403
