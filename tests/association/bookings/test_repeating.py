"""Bookings that come again and again: each time is held, days can be left out, the rules of the hall hold for all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from server.assembly.daily_reminders import BookingReminders
from server.association.bookings.actions import Origin
from server.association.bookings.contents import BOOKING
from server.association.bookings.model import Clash, Facility, State, Wish
from server.association.bookings.repeating import MAX_TIMES, read_rule
from server.association.bookings.requests import Meant, read_text
from server.association.bookings.rules import checked_wish, times_of
from server.foundation.clock import TOKYO, tokyo_time
from server.foundation.errors import InvalidParam, Refused
from tests.association.bookings.booking import CHAIR, DAY, HANAKO, ICHIRO, MISAKI, Hall, hall
from tests.association.bookings.test_bookings import schema

WEEKLY = "FREQ=WEEKLY;COUNT=4"
WEEK = timedelta(days=7)
START = datetime(2024, 1, 9, 10, tzinfo=TOKYO)  # a Tuesday


def weekly(here: Hall, start: float, end: float, rule: str = WEEKLY) -> Wish:
    return replace(here.wish(start, end, "体操"), rule=rule)


async def test_each_time_is_held_and_the_message_says_when(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        booking = await here.bookings.book(here.street.user(HANAKO), weekly(here, 10, 12))
        (content,) = await here.said(HANAKO)
        assert "日時：毎週土曜日 10:00〜12:00（2024年1月13日(土)から2024年2月3日(土)まで、4回）" in content["body"]
        schema("jp.kairan.booking").validate(content[BOOKING])
        assert [item.start for item in here.bookings.schedule.times(booking)] == [
            booking.wish.start + number * WEEK for number in range(4)]
        for days in (0, 7, 14, 21):
            with pytest.raises(Clash):
                await here.bookings.book(here.street.user(ICHIRO), here.wish(11, 13, days=days))
        await here.bookings.book(here.street.user(ICHIRO), here.wish(11, 13, days=28))
    async with hall(tmp_path) as here:
        assert here.bookings.schedule.get(here.street.user(HANAKO), booking.id) == booking
        with pytest.raises(Clash):
            await here.bookings.book(here.street.user(ICHIRO), here.wish(11, 13, days=21))


async def test_one_clash_refuses_all_and_names_the_day(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.bookings.book(here.street.user(ICHIRO), here.wish(11, 13, days=14))
        hanako = here.street.user(HANAKO)
        with pytest.raises(Clash) as refusal:
            await here.bookings.book(hanako, weekly(here, 10, 12))
        assert refusal.value.reason.startswith(
            "集会所は、2024年1月27日(土) 10:00〜12:00に、もう予約があります。その日をぬいて、もう一度予約してください。"
            "この日に空いている時間：09:00〜11:00、13:00〜21:00")
        assert await here.said(HANAKO) == []
        without = replace(weekly(here, 10, 12), except_for=(here.wish(10, 12, days=14).start,))
        booking = await here.bookings.book(hanako, without)
        assert (booking.state, len(here.bookings.schedule.times(booking))) == (State.CONFIRMED, 3)
        assert "3回） ※1月27日は なし" in (await here.said(HANAKO))[-1]["body"]


async def test_a_day_is_given_back_and_who_waits_gets_it(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        hanako, ichiro = here.street.user(HANAKO), here.street.user(ICHIRO)
        booking = await here.bookings.book(hanako, weekly(here, 10, 12))
        waiting = await here.bookings.book(ichiro, here.wish(10, 11, days=7), origin=Origin(waits=True))
        series = await here.bookings.book(
            here.street.user(MISAKI), weekly(here, 11, 12, "FREQ=WEEKLY;COUNT=2"), origin=Origin(waits=True))
        day = (DAY + WEEK).date()
        with pytest.raises(InvalidParam, match="その日の予約"):
            await here.bookings.leave_out(hanako, booking.id, day + timedelta(days=1))
        left = await here.bookings.leave_out(hanako, booking.id, day)
        assert (left.state, len(here.bookings.schedule.times(left)), left.sequence) == (State.CONFIRMED, 3, 1)
        assert here.bookings.schedule.get(ichiro, waiting.id).state is State.CONFIRMED
        assert here.bookings.schedule.get(here.street.user(MISAKI), series.id).state is State.WAITING
        with pytest.raises(Refused, match="ほかの人"):
            await here.bookings.leave_out(hanako, booking.id, DAY.date(), expected_revision=booking.revision)
        await here.bookings.leave_out(hanako, booking.id, DAY.date())
        assert here.bookings.schedule.get(here.street.user(MISAKI), series.id).state is State.CONFIRMED
        for days in (14, 21):
            left = await here.bookings.leave_out(hanako, booking.id, (DAY + timedelta(days=days)).date())
        assert left.state is State.CANCELLED


async def test_changing_looks_at_what_is_new_only(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        hanako = here.street.user(HANAKO)
        await here.rules(asks=True)
        booking = await here.bookings.book(hanako, weekly(here, 10, 12))
        booking = await here.bookings.confirm(here.street.user(CHAIR), booking.id)
        shorter = await here.bookings.change(hanako, booking.id, replace(booking.wish, rule="FREQ=WEEKLY;COUNT=3"))
        assert shorter.state is State.CONFIRMED
        await here.bookings.book(here.street.user(CHAIR), here.wish(10, 12, days=28))
        with pytest.raises(Clash, match="2月10日"):
            await here.bookings.change(hanako, booking.id, replace(booking.wish, rule="FREQ=WEEKLY;COUNT=5"))
        longer = await here.bookings.change(hanako, booking.id, booking.wish)
        assert longer.state is State.REQUESTED


async def test_who_waits_and_wants_more_still_waits_for_what_is_taken(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        hanako, ichiro = here.street.user(HANAKO), here.street.user(ICHIRO)
        first = await here.bookings.book(ichiro, here.wish(10, 12))
        waiting = await here.bookings.book(hanako, weekly(here, 10, 12), origin=Origin(waits=True))
        longer = replace(waiting.wish, rule="FREQ=WEEKLY;COUNT=5")
        with pytest.raises(Clash, match="1月13日"):
            await here.bookings.change(hanako, waiting.id, longer)
        assert here.bookings.schedule.get(hanako, waiting.id) == waiting
        await here.bookings.cancel(ichiro, first.id)
        longer_now = await here.bookings.change(hanako, waiting.id, longer)
        assert (longer_now.state, len(here.bookings.schedule.times(longer_now))) == (State.CONFIRMED, 5)


async def test_who_waits_and_wants_less_may_have_it_at_once(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        hanako = here.street.user(HANAKO)
        await here.bookings.book(here.street.user(ICHIRO), here.wish(10, 12))
        waiting = await here.bookings.book(hanako, weekly(here, 10, 12), origin=Origin(waits=True))
        assert (await here.bookings.leave_out(hanako, waiting.id, DAY.date())).state is State.CONFIRMED


async def test_the_rules_of_the_hall_hold_for_every_time(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.rules(times=5, ahead_days=40, closed=((DAY + 2 * WEEK).date(),))
        hanako, chair = here.street.user(HANAKO), here.street.user(CHAIR)
        for rule, told in (
            (WEEKLY, "休み"), ("FREQ=DAILY;COUNT=6", "5回まで"), ("FREQ=WEEKLY;INTERVAL=3;COUNT=3", "40日先"),
            (f"FREQ=DAILY;COUNT={MAX_TIMES + 1}", "60回まで"), ("FREQ=WEEKLY", "いつまでか"),
            ("FREQ=WEEKLY;BYDAY=TU;COUNT=2", "くり返す日とちがいます"), ("FREQ=SECONDLY;COUNT=2", "何日ごと"),
            ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", "くり返す日と"), ("FREQ=DAILY;BYHOUR=1;COUNT=2", "何日ごと"),
            ("FREQ=WEEKLY;UNTIL=tomorrow", "くり返しかた"), ("FREQ=WEEKLY;COUNT=x", "くり返しかた"),
        ):
            with pytest.raises(InvalidParam, match=told):
                await here.bookings.book(hanako, weekly(here, 10, 12, rule))
        await here.rules(times=0, closed=())
        with pytest.raises(InvalidParam, match="くり返しの予約ができません"):
            await here.bookings.book(hanako, weekly(here, 10, 12))
        assert (await here.bookings.book(chair, weekly(here, 10, 12))).state is State.CONFIRMED


async def test_each_time_is_reminded_of(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        await here.bookings.book(here.street.user(HANAKO), weekly(here, 10, 12))
        source = BookingReminders(here.bookings.schedule, here.street.node.members)
        for days, count in ((0, 1), (7, 1), (8, 0), (21, 1), (28, 0)):
            first = round((DAY + timedelta(days=days)).timestamp()) * 1000
            assert len(await source.between(first, first + 86_400_000)) == count


async def test_a_line_in_the_desk_room_books_and_gives_back(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        told = await here.asks(HANAKO, "予約 集会所 毎週土曜日 1月13日から2月3日まで 10時から12時 体操")
        assert "毎週土曜日 10:00〜12:00（2024年1月13日(土)から2024年2月3日(土)まで、4回）" in told
        assert "1. 集会所 毎週土曜日" in await here.asks(HANAKO, "予約")
        assert "いつまでか" in await here.asks(HANAKO, "予約 集会所 毎週土曜日 13時〜14時")
        assert "1月20日(土)" in await here.asks(ICHIRO, "予約 集会所 1月20日 11時〜12時")
        assert "※1月20日は なし" in await here.asks(HANAKO, "予約 取り消し 1月20日")
        assert "予約できました" in await here.asks(ICHIRO, "予約 集会所 1月20日 11時〜12時")
        assert "その日の予約はありません" in await here.asks(HANAKO, "予約 取り消し 1月20日")
        assert "取り消されました" in await here.asks(ICHIRO, "予約 取り消し 1月20日")
        assert "取り消されました" in await here.asks(HANAKO, "予約 取り消し 1")


@pytest.mark.parametrize(("text", "rule", "first"), [
    ("毎週火曜 10回", "FREQ=WEEKLY;BYDAY=TU;COUNT=10", date(2024, 1, 2)),
    ("毎週火・木曜日 3月末日 3回", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", date(2024, 1, 2)),
    ("隔週の日曜日 5回", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;COUNT=5", date(2024, 1, 7)),
    ("毎月第2土曜日 6回", "FREQ=MONTHLY;BYDAY=2SA;COUNT=6", date(2024, 1, 13)),
    ("毎月最後の金曜日 6回", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=6", date(2024, 1, 26)),
    ("毎月15日 6回", "FREQ=MONTHLY;BYMONTHDAY=15;COUNT=6", date(2024, 1, 15)),
    ("1月8日から毎日 1月12日まで", "FREQ=DAILY;UNTIL=20240112T145959Z", date(2024, 1, 8)),
])
def test_what_is_written_in_words_is_understood(text: str, rule: str, first: date) -> None:
    read = read_text(f"予約 集会所 {text} 10時〜12時 体操", [Facility("x", "集会所")], date(2024, 1, 1))
    assert read.meant is Meant.BOOK
    assert read.wish is not None
    assert (read.wish.rule, read.wish.start.date()) == (rule, first)
    assert checked_wish(read.wish).rule == rule


@given(
    unit=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]), interval=st.integers(1, 4), bound=st.integers(1, 40),
    counted=st.booleans(), days=st.sets(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), max_size=3),
    nth=st.sampled_from(["", "2", "-1"]), sunday=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_times_are_those_of_the_library(
    *, unit: str, interval: int, bound: int, counted: bool, days: set[str], nth: str, sunday: bool
) -> None:
    by_day = ""
    if unit == "WEEKLY" and days:
        by_day = ";BYDAY=" + ",".join(sorted(days | {"TU"}))
    elif unit == "MONTHLY" and nth:
        by_day = f";BYDAY={nth}TU"
    until = (START + timedelta(days=5 * bound)).replace(hour=10)
    end = f"COUNT={bound}" if counted else f"UNTIL={until:%Y%m%dT%H%M%S}"
    rule = f"FREQ={unit};INTERVAL={interval}{by_day};{end}" + (";WKST=SU" if sunday else "")
    wanted = [moment.replace(tzinfo=TOKYO) for moment in rrulestr(rule, dtstart=START.replace(tzinfo=None))]
    found = list(read_rule(rule, START).starts(START))
    if found[:1] == [START] and len(wanted) <= MAX_TIMES:
        assert found == wanted
        kept = checked_wish(Wish("x", START, START + timedelta(hours=1), rule=rule))
        assert [item.start for item in times_of(kept)] == wanted
        assert checked_wish(kept) == kept


def test_the_clock_of_these_tests_is_that_of_japan() -> None:
    assert tokyo_time(round(DAY.timestamp()) * 1000) == DAY
