"""Bookings on the pages: what is free, a clash and waiting for it, the officers' yes, rules of a facility."""

from __future__ import annotations

import time
from datetime import date, timedelta

from server.association.bookings.model import State
from server.foundation.clock import tokyo_time
from tests.web.browser import Browser, PageRead
from tests.web.conftest import LogIn
from tests.web.site import Site

DAY = (tokyo_time(int(time.time() * 1000)).date() + timedelta(days=10)).isoformat()

# What a browser sends of the fields in which one of several is chosen.
CHOSEN = {"step": "30", "longest": "480"}


async def hall(chair: Browser, here: Site, **more: str | list[str]) -> str:
    await chair.get("/desk/facilities/new")
    page = await chair.submit("/desk/facilities/new", {"name": "集会所", "place": "桜町1-1", **CHOSEN, **more})
    assert page.url.startswith("/desk/bookings"), page.text
    facilities = here.node.association.daily_life.bookings.schedule.facilities()
    return next(item.id for item in facilities if item.name == "集会所")


async def wanted(browser: Browser, facility: str, start: str, end: str, **more: str) -> PageRead:
    await browser.get(f"/facilities/{facility}?day={DAY}")
    return await browser.submit(f"/facilities/{facility}", {"start": start, "end": end, **more})


async def test_a_hall_is_booked_and_the_next_one_reads_what_is_free(chair: Browser, log_in: LogIn, here: Site) -> None:
    facility = await hall(chair, here)
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    assert "集会所" in (await hanako.get("/bookings")).text
    page = await wanted(hanako, facility, "10:00", "12:00", title="練習", note="鍵は花子")
    assert "予約ずみ" in page.text
    booking = page.url.split("?")[0]
    page = await ichiro.get(f"/facilities/{facility}?day={DAY}")
    assert "09:00〜10:00 空いています" in page.text
    assert "10:00〜12:00 予約ずみ 練習" in page.text
    assert "鍵は花子" not in page.text
    page = await wanted(ichiro, facility, "11:00", "13:00")
    assert page.status == 409
    assert "もう予約があります" in page.text
    assert (await ichiro.get(booking)).status == 404
    page = await wanted(ichiro, facility, "11:00", "13:00")
    waits = dict(page.read.forms[0].fields)
    page = await ichiro.post(f"/facilities/{facility}", list(waits.items()))
    assert "空き待ち" in page.text
    waiting = page.url.split("?")[0]
    await hanako.get(booking)
    page = await hanako.submit(f"{booking}/cancel")
    assert "取り消し" in page.text
    assert "予約ずみ" in (await ichiro.get(waiting)).text
    page = await ichiro.get(f"{waiting}/file.ics")
    assert "SUMMARY:集会所" in page.html


async def test_a_button_pressed_twice_books_once_and_times_can_be_changed(
    chair: Browser, log_in: LogIn, here: Site
) -> None:
    facility = await hall(chair, here)
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(f"/facilities/{facility}?day={DAY}")
    for _ in range(2):
        hanako.page = page
        await hanako.submit(f"/facilities/{facility}", {"start": "10:00", "end": "12:00"})
    (booking,) = here.node.association.daily_life.bookings.schedule.of_facility(facility)
    await hanako.get(f"/bookings/{booking.id}")
    page = await hanako.submit(f"/bookings/{booking.id}", {"start": "13:00", "end": "15:00"})
    assert "13:00〜15:00" in page.text
    page = await hanako.submit(f"/bookings/{booking.id}", {"start": "08:00", "end": "09:00"})
    assert page.status == 400
    assert "09:00〜21:00に使えます" in page.text


async def test_a_hall_is_booked_every_week_and_one_day_is_given_back(
    chair: Browser, log_in: LogIn, here: Site
) -> None:
    facility = await hall(chair, here, times="4")
    hanako, ichiro = await log_in("佐藤 花子"), await log_in("鈴木 一郎")
    first = date.fromisoformat(DAY)
    until, second = (first + timedelta(days=21)).isoformat(), (first + timedelta(days=7)).isoformat()
    page = await wanted(hanako, facility, "10:00", "12:00", title="体操", repeat="weekly")
    assert page.status == 400
    page = await wanted(hanako, facility, "10:00", "12:00", repeat="weekly", until="2099-01-01")
    assert page.status == 400
    page = await wanted(hanako, facility, "10:00", "12:00", title="体操", repeat="weekly", until=until)
    assert "4回" in page.text
    booking = page.url.split("?")[0]
    assert "10:00〜12:00 予約ずみ 体操" in (await ichiro.get(f"/facilities/{facility}?day={second}")).text
    page = await wanted(ichiro, facility, "11:00", "13:00", repeat="weekly", until=until)
    assert page.status == 409
    assert "ほかに3回も重なります" in page.text
    assert dict(page.read.forms[0].fields)["repeat"] == "weekly"
    await hanako.get(booking)
    await hanako.submit(f"{booking}/leave-out", {"day": second})
    assert "10:00〜12:00 予約ずみ" not in (await ichiro.get(f"/facilities/{facility}?day={second}")).text
    await hanako.get(booking)
    page = await hanako.submit(booking, {"start": "13:00", "end": "14:00"})
    assert "13:00〜14:00" in page.text
    assert "3回" in page.text
    (found,) = here.node.association.daily_life.bookings.schedule.of_facility(facility)
    assert [time.start.hour for time in here.node.association.daily_life.bookings.schedule.times(found)] == [13, 13, 13]
    page = await chair.get(f"/desk/facilities/{facility}/list.csv?month={DAY[:7]}")
    assert page.html.count("体操") == sum((first + timedelta(days=n)).isoformat()[:7] == DAY[:7] for n in (0, 14, 21))


async def test_officers_confirm_decline_and_write_for_others(chair: Browser, log_in: LogIn, here: Site) -> None:
    facility = await hall(chair, here, asks="1")
    hanako = await log_in("佐藤 花子")
    await wanted(hanako, facility, "10:00", "12:00", title="練習")
    await wanted(hanako, facility, "13:00", "14:00", title="将棋")
    verbs = here.node.association.daily_life.bookings
    first, second = verbs.schedule.of_facility(facility)
    page = await chair.get("/desk/bookings")
    assert "佐藤 花子・練習" in page.text
    await chair.submit(f"/desk/bookings/{first.id}/confirm")
    await chair.submit(f"/desk/bookings/{second.id}/decline", {"reason": "清掃のため"})
    assert [item.state for item in verbs.schedule.of_facility(facility)] == [State.CONFIRMED, State.DECLINED]
    assert (await hanako.get("/desk/bookings")).status == 403
    page = await wanted(chair, facility, "15:00", "16:00", for_name="鈴木一郎")
    assert "鈴木 一郎" in page.text
    assert (await wanted(chair, facility, "17:00", "18:00", for_name="だれか")).status == 400
    page = await chair.get(f"/desk/facilities/{facility}/list.csv?month={DAY[:7]}")
    assert page.html.lstrip("\ufeff").startswith("日,はじまり")
    assert "佐藤 花子" in page.html


async def test_rules_are_kept_and_a_facility_goes(chair: Browser, here: Site) -> None:
    facility = await hall(chair, here, day=["0", "2"], longest="120", closed=f"{DAY}\n2027-01-01")
    verbs = here.node.association.daily_life.bookings
    rules = verbs.schedule.facility(facility).rules
    assert [hours is not None for hours in rules.hours] == [True, False, True, False, False, False, False]
    assert (rules.longest, len(rules.closed)) == (120, 2)
    assert "この日は 休みです" in (await chair.get(f"/facilities/{facility}?day={DAY}")).text
    for nobodys in ("9999-12-31", "0001-01-01"):
        assert (await chair.get(f"/facilities/{facility}?day={nobodys}")).status == 400
    page = await chair.get(f"/desk/facilities/{facility}")
    assert dict(page.form(f"/desk/facilities/{facility}").fields)["closes"] == "21:00"
    for wrong in ({"opens": "x"}, {"closes": "08:00"}, {"name": ""}, {"closed": "あした"}, {"at_once": "0"}):
        await chair.get(f"/desk/facilities/{facility}")
        page = await chair.submit(f"/desk/facilities/{facility}", {**CHOSEN, **wrong})
        assert page.status == 400, wrong
    await chair.get(f"/desk/facilities/{facility}")
    await chair.submit(f"/desk/facilities/{facility}/remove")
    assert "集会所" not in (await chair.get("/bookings")).text


async def test_what_cannot_be_asked_is_refused(chair: Browser, log_in: LogIn, here: Site) -> None:
    facility = await hall(chair, here)
    hanako = await log_in("佐藤 花子")
    for path in (f"/desk/facilities/{facility}", "/desk/facilities/new", f"/desk/facilities/{facility}/list.csv"):
        assert (await hanako.get(path)).status == 403
    for path in ("/facilities/none", "/bookings/none"):
        assert (await hanako.get(path)).status == 404
    assert (await hanako.get(f"/facilities/{facility}?day=x")).status == 400
    for wrong in ({"start": "25:00"}, {"end": ""}, {"day": "x"}):
        page = await wanted(hanako, facility, **{"start": "10:00", "end": "11:00", **wrong})
        assert page.status == 400, wrong
