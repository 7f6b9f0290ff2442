"""Whatever a page offers somebody, they may do: all links are followed and all buttons pressed in each role."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urldefrag

from server.association.members.model import Role
from server.web.pages import all_pages
from server.web.routing import Routes
from tests.web.browser import Browser, FormOnPage
from tests.web.conftest import LogIn
from tests.web.every_page import every_page
from tests.web.site import CHAIR, Site

# In this order: whoever has most to say decides last, so that the others still find what they may decide.
ROLES: Final = {
    "佐藤 花子": None, "補助 一": Role.HELPER, "班長 一": Role.BLOCK_LEADER, "役員 一": Role.OFFICER,
    "担当 一": Role.DIGITAL, CHAIR: Role.CHAIR,
}
_EVERYBODY: Final = bool(os.environ.get("KAIRAN_EVERY_ROLE"))
_WALK: Final = list(ROLES) if _EVERYBODY else ["補助 一", "班長 一", "役員 一"]
_PRESS: Final = list(ROLES) if _EVERYBODY else ["補助 一", "班長 一"]
_MOST_OF_ONE_KIND: Final = 2
_ENDS: Final = re.compile(r"/(remove|close|cancel|withdraw|drop|leave|erase|end|decline|keep|decide|file|return|now)$")
# They end the session, the association's trial, or what the others still need.
_NOT_PRESSED: Final = {"/logout", "/my/leave", "/desk/trial/begin", "/desk/trial/throw-away"}


@dataclass(frozen=True)
class Offer:
    """A form, or one button of it, and the page on which it stands."""

    page: str
    action: str
    button: tuple[str, str]


@dataclass
class Walk:
    """What somebody has found by going from link to link, two pages of each kind."""

    browser: Browser
    offers: dict[tuple[str, tuple[str, str]], Offer] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    async def go(self) -> None:
        """Follow every link from the first page on."""
        seen, numbers, todo = {""}, Counter[str](), ["/"]
        while todo:
            path = todo.pop(0)
            kind = kind_of(path)
            numbers[kind] += path not in seen
            if path in seen or numbers[kind] > _MOST_OF_ONE_KIND:
                continue
            seen.add(path)
            page = await self.browser.get(path)
            if page.status >= 400:
                self.refused.append(f"{path}: {page.status}")
            elif "html" in page.headers.get("Content-Type", ""):
                todo += [urldefrag(link).url for link in page.links if link.startswith("/")]
                for form in page.read.forms:
                    self._note(page.url, form)

    def _note(self, page: str, form: FormOnPage) -> None:
        if form.method == "post" and form.action not in _NOT_PRESSED:
            for button in form.buttons or [("", "")]:
                name = button if button[0] in ("step", "status", "state") else (button[0], "")
                self.offers.setdefault((kind_of(form.action), name), Offer(page, form.action, button))

    async def press(self) -> None:
        """Press every button that still stands there, what ends something last."""
        for key in sorted(self.offers, key=lambda key: (bool(_ENDS.search(key[0])), key)):
            offer = self.offers[key]
            page = await self.browser.get(offer.page)
            if offer.action in [form.action for form in page.read.forms]:
                page = await self.browser.submit(offer.action, dict([offer.button]) if offer.button[0] else {})
                if page.status in (401, 403, 404, 405) or page.status >= 500:
                    self.refused.append(f"{offer}: {page.status} {page.text[-160:]}")


def kind_of(path: str) -> str:
    """An address without what is different from one thing to the next."""
    way, _, query = path.partition("?")
    return next((kind for kind, known in _KINDS if known.fullmatch(way)), way) + re.sub("=[^&]*", "", query)


class _Kinds(Routes):
    """All kinds of addresses, those without variables first."""

    def __init__(self) -> None:
        super().__init__()
        all_pages.add_routes(self)

    def patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        kinds = sorted("/" + "/".join(shape) for shape in self._pages)
        return [(kind, re.compile(kind.replace("*", "[^/]+"))) for kind in sorted(kinds, key=lambda kind: "*" in kind)]


_KINDS: Final = _Kinds().patterns()


async def test_nothing_is_offered_that_is_then_refused(here: Site, log_in: LogIn) -> None:
    for name, role in ROLES.items():
        if role is not None and name != CHAIR:
            await here.add(name, "1班", [role])
    await every_page(here)
    for name in _WALK:
        walk = Walk(await log_in(name))
        await walk.go()
        if name in _PRESS:
            await walk.press()
        assert walk.refused == [], name
        assert len(walk.offers) > 30, name


async def test_the_way_to_the_desk_says_what_this_person_does_there(here: Site, log_in: LogIn) -> None:
    for name, role, words, otherwise in (
        ("補助 一", Role.HELPER, "招待カードを 出す・行事の 出欠を 書く", "回覧を 書く"),
        ("班長 一", Role.BLOCK_LEADER, "班に 回覧を 書く・安否の 訪問を 書く", "たずねる"),
        ("役員 一", Role.OFFICER, "回覧を 書く・安否を たずねる", "班に 回覧を 書く"),
    ):
        await here.add(name, "1班", [role])
        home = await (await log_in(name)).get("/")
        assert words in home.text
        assert otherwise not in home.text
    desk = await (await log_in("班長 一")).get("/desk")
    assert "数を 見る・訪問を 書く" in desk.text
    assert "たずねる" not in desk.text
    assert "なおす" not in desk.text.partition("名簿")[2].partition("招待カード")[0]


async def test_an_officer_reads_who_makes_a_card_for_the_chair(here: Site, log_in: LogIn) -> None:
    await here.add("役員 一", "1班", [Role.OFFICER])
    officer = await log_in("役員 一")
    chair, resident = (f"/desk/phones/{here.person(name).id}" for name in (CHAIR, "佐藤 花子"))
    page = await officer.get(chair)
    assert "会長か デジタル担当だけが" in page.text
    assert chair not in [form.action for form in page.read.forms]
    assert chair not in (await officer.get(f"/desk/roster/persons/{here.person(CHAIR).id}")).links
    assert (await officer.get(resident)).form(resident)
