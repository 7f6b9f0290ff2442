"""The pictures of the README: three screens of ``kairan demo``, as somebody who tries it finds them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Locator, Page, expect

from server.assembly import Node
from server.association.circulars.circulars_store import circulars_before
from server.association.members.model import EVERYONE, Person, Role
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status
from server.demo.node_folder import SETTINGS_FILE
from server.demo.region import Site, all_answering
from server.demo.surroundings import CITY, PLACES, SAKURA
from server.demo.try_out import Keys, make_demo, read_keys
from tests.architecture.source import ROOT
from tests.web.guides.camera import photographed, see
from tests.web.real_browser import chromium, window

FOLDER: Final = ROOT / "docs/images"
_PHONE: Final = {"width": 360, "height": 740}
_COMPUTER: Final = {"width": 1100, "height": 900}
_NOTICE: Final = "水道工事にともなう断水のお知らせ"
_CONFIRMED: Final = 60
# How those answer the check who answer.
_ANSWERS: Final = (Status.HELP,) * 3 + (Status.CONTACT,) * 4 + (Status.SAFE,) * 67


@dataclass(frozen=True, slots=True)
class Demo:
    """All nodes of a demo, who one can be, and a browser."""

    sites: dict[str, Site]
    nodes: dict[str, Node]
    keys: Keys
    browser: Browser

    @asynccontextmanager
    async def window(self, place: str, user: str, size: dict[str, int]) -> AsyncIterator[Page]:
        """Somebody at the pages of a node."""
        async with window(self.browser, self.sites[place].url, size) as page:
            await page.goto("/login")
            await page.get_by_label("ユーザーID").fill(user)
            await page.get_by_label("パスワード").fill(self.keys.logins[0].password)
            await page.get_by_role("button", name="ログインする").click()
            await expect(page.get_by_role("heading", level=1)).to_contain_text("さん")
            yield page


def make_readme_pictures(folder: Path) -> None:
    """Set a demo up in ``folder``, which is not there yet, and take its pictures."""
    make_demo(folder, 0)
    asyncio.run(_take_all(folder))


async def _take_all(folder: Path) -> None:
    sites = [Site(place, folder / place.key / SETTINGS_FILE) for place in PLACES]
    async with all_answering(sites) as nodes, chromium() as browser:
        keys = [site.place.key for site in sites]
        demo = Demo(
            dict(zip(keys, sites, strict=True)), dict(zip(keys, nodes, strict=True)), read_keys(folder), browser)
        await _home(demo)
        await _safety_table(demo)
        await _city_desk(demo)


async def _home(demo: Demo) -> None:
    async with demo.window(SAKURA.key, "jumin", _PHONE) as page:
        await _keep(page, "home", page.locator("ul.tiles"))


async def _safety_table(demo: Demo) -> None:
    node = demo.nodes[SAKURA.key]
    checks = node.association.safety_checks
    check = await checks.announce(_chair(node), "震度5強の地震", EVERYONE, drill=False)
    await checks.ask(check.id)
    answering = random.Random(check.title).sample(_people(node), len(_ANSWERS))
    for person, status in zip(answering, _ANSWERS, strict=True):
        await checks.answer(person.user_id or "", check.id, Given(status=status))
    async with demo.window(SAKURA.key, "kaicho", _COMPUTER) as page:
        await page.goto(f"/desk/safety/{check.id}")
        await _keep(page, "safety_table", page.locator("table").first)


async def _city_desk(demo: Demo) -> None:
    node = demo.nodes[SAKURA.key]
    circulars = await circulars_before(node.core.database, 10)
    circular = next(item for item in circulars if _NOTICE in item.title)
    for person in islice(_people(node), _CONFIRMED):
        await node.association.circulars.acknowledge(person.user_id or "", circular.id)
    async with demo.window(CITY.key, demo.keys.around[CITY.key].localpart, _COMPUTER) as page:
        await page.goto("/desk/notices")
        await page.get_by_role("link", name=_NOTICE).click()
        row = page.locator("tr", has_text=SAKURA.name)
        await expect(row.locator("td").nth(2)).to_have_text(str(_CONFIRMED))
        await _keep(page, "city_desk", page.get_by_text("取り消す").first)


def _chair(node: Node) -> str:
    return node.association.members.register.with_role([Role.CHAIR])[0].user_id or ""


def _people(node: Node) -> list[Person]:
    return [person for person in node.association.members.persons() if person.user_id is not None]


async def _keep(page: Page, name: str, until: Locator) -> None:
    (FOLDER / f"{name}.png").write_bytes(await photographed(page, await see(page, [], until=until)))
