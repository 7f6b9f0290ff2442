"""Sharing with neighbours in a real browser: narrow, in large letters, without scripts, axe."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from federation.sharing.model import Opened, Subject
from server.association.bookings.model import Wish
from server.association.hazards.model import HazardKind, HazardState, Sight
from server.association.members.model import Role
from server.foundation.clock import tokyo_time
from tests.federation.sharing.neighbourhood import announces, has_facility, neighbours, sees, shares
from tests.federation.wide_area.desks import OFFICER, site_of
from tests.federation.wide_area.places import Place, until
from tests.federation.wide_area.test_in_chromium import desk_of, looked_at
from tests.real import require_real
from tests.web.real_browser import chromium

pytestmark = pytest.mark.slow


async def a_neighbourhood(sakura: Place, ume: Place) -> list[str]:
    """Something of everything; answers the addresses of Ume's pages."""
    for place in (sakura, ume):
        person = await site_of(place).add(OFFICER, "1班")
        await place.node.inside.association.editor.give_role(place.me, person.id, Role.CHAIR)
    officer = site_of(ume).user(OFFICER)
    hall = await has_facility(sakura, "桜町集会所 2階の 大きい和室")
    await has_facility(ume, "梅町の 山車")
    await shares(sakura, ume, *Subject, opened=(Opened(hall.id, hall.name),))
    await announces(sakura, "第三十二回 桜町夏まつりと盆おどり大会")
    cancelled = await announces(sakura, "清掃")
    await sakura.node.inside.association.gatherings.cancel(sakura.me, cancelled.id, "雨")
    hazards = sakura.node.inside.association.daily_life.hazards
    sight = Sight(HazardKind.TREE, "中央公園の 北がわの 大きい いちょう", "枝が 折れています。")
    hazard = await hazards.report(site_of(sakura).user(OFFICER), sight)
    await hazards.move(sakura.me, hazard.id, HazardState.SEEN)
    own = await ume.node.inside.association.daily_life.hazards.report(officer, Sight(HazardKind.LIGHT, "3班の 角"))
    await sees(ume, "第三十二回 桜町夏まつりと盆おどり大会", "清掃")

    async def is_all_there() -> bool:
        found, share = ume.verbs.sharing.neighbours, ume.verbs.sharing.book.in_force()[0]
        return bool(await found.facilities()) and bool(await found.hazards()) and bool(share.board_id)

    await until(is_all_there)
    day = tokyo_time(ume.node.inside.core.clock.now_ms()).replace(hour=10, minute=0, second=0, microsecond=0)
    share = ume.verbs.sharing.book.in_force()[0]
    await ume.verbs.sharing.requests.ask(officer, share.room_id, Wish(
        hall.id, day + timedelta(days=3), day + timedelta(days=3, hours=2), "練習"))
    desk = await ume.node.inside.core.late.wide_area.open()
    await desk.sharing.offers.offer(ume.me, "松町町内会", share.given)
    return ["/desk", "/desk/sharing", "/neighbours", "/hazards", "/hazards/new", f"/hazards/{own.id}", "/daily"]


async def test_pages_fit_a_telephone_in_large_letters_and_axe_objects_to_nothing(tmp_path: Path) -> None:
    axe = require_real("axe-core").read_text("utf-8")
    async with neighbours(tmp_path) as (sakura, ume), chromium() as browser:
        paths, found = await a_neighbourhood(sakura, ume), list[str]()
        async with desk_of(ume, browser, dark=True) as page:
            for path in paths:
                found += await looked_at(page, path, axe, f"ume-{path}")
            await page.goto("/neighbours")
            far = await page.get_attribute("a[href*='/facilities/']", "href")
            assert far is not None
            found += await looked_at(page, far, axe, "ume-neighbour-facility")
        assert found == []


async def test_sharing_is_agreed_upon_without_scripts(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume), chromium() as browser:
        for place in (sakura, ume):
            person = await site_of(place).add(OFFICER, "1班")
            await place.node.inside.association.editor.give_role(place.me, person.id, Role.CHAIR)
        await announces(sakura, "夏まつり")
        async with desk_of(sakura, browser, script=False) as here, desk_of(ume, browser, script=False) as there:
            await here.goto("/desk/sharing")
            await here.fill("#f-name", "梅町町内会")
            await here.check("input[name=subject][value=calendar]")
            await here.click("form[action$='/offer'] button")
            code = await here.inner_text("p.code")
            await there.goto("/desk/sharing")
            await there.fill("#f-code", code)
            await there.click("form[action$='/look'] button")
            await expect(there.locator("main")).to_contain_text("桜町町内会")
            await there.click("form[action$='/agree'] button")
            await expect(there.locator("main")).to_contain_text("分け合いを はじめました")
            await sees(ume, "夏まつり")
            await there.goto("/neighbours")
            await expect(there.locator("main")).to_contain_text("夏まつり")
