"""A household of which several share one telephone."""

from __future__ import annotations

from server.association.members.model import Person
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import Site

HANAKO, TARO, SAKURA = "佐藤 花子", "佐藤 太郎", "佐藤 さくら"


async def move_in(here: Site, name: str, *, account: bool = True) -> Person:
    """Somebody more lives where Hanako does."""
    editor = here.node.association.editor
    person = await editor.add_person(here.chief, here.person(HANAKO).household_id, name)
    if account:
        user_id = await here.node.accounts.create_user(None, None, name)
        async with editor.editing() as edit:
            edit.account(person.id, user_id)
    return here.person(name)


async def add(browser: Browser, here: Site, name: str) -> PageRead:
    """``name`` has shown their own number on their telephone; it is typed on ``browser``."""
    card = await here.invitations.family_card(here.user(name))
    await browser.get("/code")
    await browser.submit("/code", {"code": card.code})
    return await browser.submit("/come-in", {"how": "family"})


async def family_phone(here: Site, log_in: LogIn, *names: str) -> Browser:
    """Hanako's telephone, which ``names`` use, too. Hanako is at the screen."""
    browser = await log_in(HANAKO)
    for name in names:
        await move_in(here, name)
        page = await add(browser, here, name)
        assert page.url.startswith("/my/family?"), page.text
    return browser


async def change_to(browser: Browser, here: Site, name: str) -> PageRead:
    """One tap at the top."""
    return await browser.submit("/family", {"person": here.person(name).id})
