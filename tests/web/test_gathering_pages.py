"""Gatherings on the pages."""

from __future__ import annotations

import time
from datetime import date, timedelta

from server.foundation.clock import tokyo_time
from server.web.languages.dates import Dates
from tests.web.browser import Browser
from tests.web.conftest import LogIn

DAY = (tokyo_time(int(time.time() * 1000)).date() + timedelta(days=30)).isoformat()
BEFORE = (date.fromisoformat(DAY) - timedelta(days=1)).isoformat()
LAST = (date.fromisoformat(DAY) + timedelta(days=2)).isoformat()


async def announced(chair: Browser, **more: str) -> str:
    await chair.get("/desk/gatherings/new")
    page = await chair.submit("/desk/gatherings/new", {
        "title": "夏まつり", "day": DAY, "start": "10:00", "end": "15:00", "place": "中央公園", **more,
    })
    assert "おくりました" in page.text, page.text
    return page.url.split("?")[0].rpartition("/")[2]


async def test_a_gathering_is_seen_with_its_day_in_the_years_of_japan(chair: Browser, log_in: LogIn) -> None:
    gathering = await announced(chair)
    hanako = await log_in("佐藤 花子")
    assert "夏まつり" in (await hanako.get("/")).text
    page = await hanako.get("/gatherings")
    assert Dates("ja").day(date.fromisoformat(DAY)) in page.text
    assert "10:00〜15:00" in page.text
    page = await hanako.get(f"/gatherings/{gathering}")
    assert "中央公園" in page.text
    assert "変える" not in page.text
    page = await hanako.get(f"/gatherings/{gathering}/file.ics")
    assert page.headers["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:夏まつり" in page.html


async def test_calling_off_is_two_taps_and_shown_everywhere(chair: Browser, log_in: LogIn) -> None:
    gathering = await announced(chair)
    await chair.get(f"/desk/gatherings/{gathering}/cancel")
    page = await chair.submit(f"/desk/gatherings/{gathering}/cancel", {"reason": "雨のため"})
    assert "中止に なっています" in page.text
    hanako = await log_in("佐藤 花子")
    assert "中止" in (await hanako.get("/")).text
    assert "中止" in (await hanako.get("/gatherings")).text


async def test_two_officers_at_once_lose_nothing_in_silence(chair: Browser) -> None:
    gathering = await announced(chair)
    await chair.get(f"/desk/gatherings/{gathering}")
    form = chair.page
    page = await chair.submit(f"/desk/gatherings/{gathering}", {"place": "公民館"})
    assert "公民館" in page.text
    chair.page = form
    page = await chair.submit(f"/desk/gatherings/{gathering}", {"place": "学校"})
    assert page.status == 412
    assert "ほかの人が先に" in page.text
    assert "公民館" in (await chair.get(f"/gatherings/{gathering}")).text


async def test_days_without_times_and_over_several_days(chair: Browser) -> None:
    gathering = await announced(chair, start="", end="")
    assert "一日" in (await chair.get(f"/gatherings/{gathering}")).text
    gathering = await announced(chair, title="合宿", start="", end="", last_day=LAST)
    until = f"{Dates('ja').short_day(date.fromisoformat(LAST))}まで"
    assert until in (await chair.get(f"/gatherings/{gathering}")).text
    page = await chair.get(f"/desk/gatherings/{gathering}")
    assert dict(page.form(f"/desk/gatherings/{gathering}").fields)["last_day"] == LAST


async def test_what_cannot_be_is_refused_and_the_form_keeps_its_words(chair: Browser) -> None:
    for wrong in ({"day": "x"}, {"start": "25:00"}, {"end": "09:00"}, {"title": ""}, {"last_day": BEFORE}):
        await chair.get("/desk/gatherings/new")
        fields = {"title": "夏まつり", "day": DAY, "start": "10:00", "place": "中央公園", **wrong}
        page = await chair.submit("/desk/gatherings/new", fields)
        assert page.status == 400, wrong
        assert dict(page.form("/desk/gatherings/new").fields)["place"] == "中央公園"
