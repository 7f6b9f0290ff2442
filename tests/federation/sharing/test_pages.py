"""Sharing with neighbours in a browser: officers agree, residents look, ask, report, enter the board."""

from __future__ import annotations

import re
from pathlib import Path

from federation.sharing.model import Opened, Subject
from server.accounts.interactive_auth import InteractiveAuth
from server.association.bookings.model import State
from server.association.hazards.model import HazardKind, HazardState, Sight
from server.foundation.clock import SystemClock, tokyo_time
from tests.federation.sharing.neighbourhood import announces, has_facility, have_parted, neighbours, sees, shares
from tests.federation.wide_area.desks import officer_at, resident_at
from tests.federation.wide_area.places import Place, until
from tests.federation.wide_area.test_residents import resident
from tests.web.browser import Browser
from tests.web.site import Site


async def test_officers_offer_look_agree_and_end(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume), officer_at(sakura) as here, officer_at(ume) as there:
        await announces(ume, "もちつき")
        await here.get("/desk/sharing")
        page = await here.submit("/desk/sharing/offer", {"name": "梅町町内会", "subject": ["calendar", "hazards"]})
        code = re.search(r"kairan-share:\S+?(?=<|\s)", page.html)
        assert code is not None, page.text
        assert "<svg" in page.html
        assert "だれが知らせたかは 伝わりません" in page.text
        await there.get("/desk/sharing")
        page = await there.submit("/desk/sharing/look", {"code": code[0]})
        assert "桜町町内会" in page.text
        assert "もちつき" in page.text
        assert ume.verbs.sharing.book.shares() == []
        page = await there.submit("/desk/sharing/agree", {"subject": ["calendar"]})
        assert "分け合いを はじめました" in page.text
        await sees(sakura, "もちつき")
        page = await here.get("/desk/sharing")
        assert "分け合っています" in page.text
        assert "危険の知らせ：" not in re.sub(r"近所の町会を さそう.*", "", page.text, flags=re.DOTALL)
        room_id = ume.verbs.sharing.book.in_force()[0].room_id
        page = await here.submit("/desk/sharing/end", {"reason": "ためしでした"})
        assert "相手のところからも 消えます" in page.text
        await have_parted(sakura, ume, room_id)
        for bad in ("kairan-share:nonsense", "kairan-link:https://x.example/link#x.example/" + "A" * 24):
            await there.get("/desk/sharing")
            assert (await there.submit("/desk/sharing/look", {"code": bad})).status == 400


async def test_residents_find_gatherings_ask_for_a_hall_and_enter_the_board(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        hall, taro_at = await has_facility(sakura), Site(ume.node.inside, ume.node.url, InteractiveAuth(SystemClock()))
        await taro_at.add("梅田 太郎", "1班")
        await shares(sakura, ume, Subject.CALENDAR, Subject.FACILITIES, Subject.BOARD,
                     opened=(Opened(hall.id, hall.name),))
        await announces(sakura, "夏まつり")
        await sees(ume, "夏まつり")
        bookings = sakura.node.inside.association.daily_life.bookings
        async with resident_at(taro_at, "梅田 太郎") as taro:
            await until(lambda: _shows(taro, "/neighbours", "桜集会所", "共同の掲示板"))
            page = await taro.get("/neighbours")
            assert "夏まつり" in page.text
            assert "佐藤" not in page.text
            address = next(link for link in page.links if "/facilities/" in link)
            await taro.get(address)
            day = tokyo_time(ume.node.inside.core.clock.now_ms()).date().isoformat()
            page = await taro.submit(address, {"start": "23:00", "end": "23:30", "title": "練習"})
            assert page.status == 400
            assert "に使えます" in page.text, (page.text, day)
            page = await taro.submit(address, {"start": "13:00", "end": "15:00", "title": "練習"})
            assert "お願いを おくりました" in page.text, page.text
            await until(lambda: _shows(taro, "/neighbours", "確認待ち"))
            (asked,) = bookings.schedule.asked(sakura.me)
            await bookings.confirm(sakura.me, asked.id)
            await until(lambda: _shows(taro, "/neighbours", "予約ずみ"))
            await taro.get("/neighbours")
            assert "取り消しました" in (await taro.submit("/neighbours/take-back")).text
            await until(lambda: _has_state(sakura, asked.id, State.CANCELLED))
            await taro.get("/neighbours")
            assert "掲示板に 入りました" in (await taro.submit("/neighbours/board")).text
            assert (await taro.get("/desk/sharing")).status == 403
            for address in ("/neighbours/nothing/facilities/nothing", "/neighbours/nothing/photos/nothing"):
                assert (await taro.get(address)).status == 404


async def test_hazards_are_reported_here_and_read_next_door(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume):
        await shares(sakura, ume, Subject.HAZARDS)
        site = Site(sakura.node.inside, sakura.node.url, InteractiveAuth(SystemClock()))
        await site.add("佐藤 花子", "1班")
        other = await resident(sakura, "jiro")
        async with resident_at(site, "佐藤 花子") as hanako:
            await hanako.get("/hazards/new")
            page = await hanako.submit("/hazards/new", {"kind": "tree", "place": "", "text": ""})
            assert page.status == 400
            seen = {"kind": "tree", "place": "桜公園の北", "text": "枝が 折れています"}
            page = await hanako.submit("/hazards/new", seen)
            assert "おくりました" in page.text
            address = page.url.split("?")[0]
            assert "とりさげる" in page.text
            assert "役員から ひとこと" not in page.text
            verbs = sakura.node.inside.association.daily_life.hazards
            mine = await verbs.report(other.user_id, Sight(HazardKind.ROAD, "坂の上"))
            page = await hanako.get(f"/hazards/{mine.id}")
            assert "とりさげる" not in page.text
            assert (await hanako.get("/hazards/nothing")).status == 404
        async with officer_at(ume) as officer:
            await until(lambda: _shows(officer, "/hazards", "桜公園の北", "坂の上", "桜町町内会"))
            assert "佐藤" not in (await officer.get("/hazards")).text
        async with officer_at(sakura) as chair:
            await chair.get(address)
            page = await chair.submit(address, {"state": "seen", "note": "業者を 呼びました"})
            assert "業者を 呼びました" in page.text
        assert HazardState.SEEN in {item.state for item in await verbs.shown()}


async def _shows(browser: Browser, address: str, *words: str) -> bool:
    text = (await browser.get(address)).text
    return all(word in text for word in words)


async def _has_state(place: Place, booking_id: str, state: State) -> bool:
    bookings = place.node.inside.association.daily_life.bookings
    return bookings.schedule.get(place.me, booking_id).state is state
