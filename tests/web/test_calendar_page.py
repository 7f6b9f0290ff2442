"""A resident's calendar: everything on their days in one list, a month at a glance, today on the home page."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from server.association.gatherings.model import Plan
from server.association.members.model import EVERYONE, Audience
from server.association.polls.model import Question
from server.foundation.clock import TOKYO, tokyo_time
from tests.web.browser import Browser
from tests.web.conftest import LogIn
from tests.web.daily_life import pages_of_daily_life
from tests.web.site import CHAIR, Site


async def _gathering(here: Site, title: str, start: datetime, audience: Audience = EVERYONE, rule: str = "") -> None:
    plan = Plan(title, start, start + timedelta(hours=2), "公園", rule=rule)
    await here.node.association.gatherings.announce(here.user(CHAIR), plan, audience)


def _today(here: Site) -> date:
    return tokyo_time(here.node.core.clock.now_ms()).date()


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=TOKYO)


def _month(day: date) -> str:
    return f"/calendar?month={day:%Y-%m}"


async def test_gatherings_garbage_duties_and_bookings_are_in_one_list(here: Site, log_in: LogIn) -> None:
    await pages_of_daily_life(here)
    soon = _today(here) + timedelta(days=3)
    await _gathering(here, "夏まつり", _at(soon, 9))
    hanako = await log_in("佐藤 花子")
    page = await hanako.get(_month(soon))
    assert "行事 09:00〜11:00 夏まつり" in page.text
    assert "予約 10:00〜12:00 集会所" in page.text
    assert page.text.index("夏まつり") < page.text.index("集会所")
    everything = page.text + (await hanako.get(_month(soon + timedelta(days=27)))).text
    assert "当番 掃除" in everything
    assert "ごみ " in everything


async def test_a_month_leads_to_its_days_and_a_series_is_on_each(here: Site, log_in: LogIn) -> None:
    first = (_today(here).replace(day=1) + timedelta(days=40)).replace(day=1)
    await _gathering(here, "体操", _at(first, 7), rule="FREQ=WEEKLY;COUNT=3")
    page = await (await log_in("佐藤 花子")).get(_month(first))
    for week in range(3):
        day = first + timedelta(days=7 * week)
        assert f"#d{day}" in page.links
        assert f'id="d{day}"' in page.html
    assert f"#d{first + timedelta(days=21)}" not in page.links


async def test_what_is_for_others_is_not_there_and_what_is_off_says_so(here: Site, log_in: LogIn) -> None:
    soon = _at(_today(here) + timedelta(days=2), 9)
    await _gathering(here, "2班の 会", soon, Audience.blocks([here.block("2班")]))
    await _gathering(here, "まつり", soon)
    gathering = here.node.association.gatherings.upcoming(here.user("佐藤 花子"), 1)[0].gathering
    await here.node.association.gatherings.cancel(here.user(CHAIR), gathering.id)
    page = await (await log_in("佐藤 花子")).get(_month(soon.date()))
    assert "2班の 会" not in page.text
    assert "まつり 中止" in page.text


@pytest.mark.parametrize("month", ["2020-01", "9999-12", "x", "2026-13", "2026-1-1"])
async def test_months_that_are_not_shown_are_refused(chair: Browser, month: str) -> None:
    assert (await chair.get(f"/calendar?month={month}")).status == 400


async def test_today_and_open_questions_stand_on_the_home_page(here: Site, log_in: LogIn) -> None:
    hanako = await log_in("佐藤 花子")
    assert "きょう" not in (await hanako.get("/")).text
    await _gathering(here, "朝の 会", _at(_today(here) + timedelta(days=1), 0) - timedelta(minutes=1))
    question = Question(text="来ますか", choices=("はい", "いいえ"), audience=EVERYONE)
    poll = await here.node.association.polls.start(here.user(CHAIR), question)
    page = await hanako.get("/")
    today = page.text.partition("きょう")[2].partition("回覧板")[0]
    assert today.index("来ますか") < today.index("朝の 会")
    await here.node.association.polls.answer(here.user("佐藤 花子"), poll.id, [poll.choices[0].id])
    assert "こたえてください" not in (await hanako.get("/")).text
