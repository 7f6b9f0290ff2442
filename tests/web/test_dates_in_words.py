"""Days and times on pages are said in the language of the page, wherever they come from."""

from __future__ import annotations

import os
import re
from datetime import date, datetime

import pytest

from server.accounts.looks import Look
from server.foundation.clock import TOKYO
from server.web.languages.dates import Dates
from server.web.languages.tongues import TONGUES
from server.web.templating import Templates
from tests.web.browser import Browser
from tests.web.every_page import every_page
from tests.web.site import CHAIR, Site

# What neighbours have written on the pages of the test says days in Japanese, and stays as they wrote it.
_WRITTEN = ("8月9日に", ">8月9日<", "毎週土曜日", "日曜日に", "夜の10時です")
_WEEKDAY = r"[月火水木金土日]曜|[（(][月火水木金土日][)）]"
_DAY = rf"[0-9]\s*(?:年|月|日|時|分|週間)|令和|{_WEEKDAY}"
_JAPANESE = {"en": _DAY, "vi": _DAY, "zh": _WEEKDAY}
# The same words of ours are behind each of them; ``make browser`` looks at all.
_LOOKED_AT = _JAPANESE if os.environ.get("KAIRAN_BROWSER") else {"vi": _DAY}
_TUESDAY, _SUNDAY = date(2026, 11, 24), date(2026, 11, 29)


async def test_no_page_says_a_day_in_japanese_where_another_language_is_read(here: Site, chair: Browser) -> None:
    paths, found = await every_page(here), []
    for code, japanese in _LOOKED_AT.items():
        await here.node.accounts.looks.set(here.user(CHAIR), Look(language=code))
        for path in paths:
            html = (await chair.get(path)).html
            for words in _WRITTEN:
                html = html.replace(words, "")
            found += [f"{code} {path}: {html[item.start() - 20:item.end()]}" for item in re.finditer(japanese, html)]
    assert found == []


@pytest.mark.parametrize(("code", "days", "span"), [
    ("ja", "11月24日（火）〜11月29日（日）", "10:00〜11月29日（日） 12:00"),
    ("ja-easy", "11月24日（火曜日）〜11月29日（日曜日）", "10:00〜11月29日（日曜日） 12:00"),
    ("en", "Tuesday 24 November〜Sunday 29 November", "10:00〜Sunday 29 November 12:00"),
    ("zh", "11月24日（星期二）〜11月29日（星期日）", "10:00〜11月29日（星期日） 12:00"),
    ("vi", "Thứ Ba, 24/11〜Chủ Nhật, 29/11", "10:00〜Chủ Nhật, 29/11 12:00"),
])  # fmt: skip
def test_from_a_day_to_another_is_said_in_every_language(code: str, days: str, span: str) -> None:
    dates = Dates(code)
    assert dates.plain_days(_TUESDAY, _SUNDAY) == days
    assert _without_readings(dates.days(_TUESDAY, _SUNDAY)) == days
    assert dates.plain_days(_TUESDAY) == _without_readings(dates.short_day(_TUESDAY)) == days.partition("〜")[0]
    start, end = datetime(2026, 11, 24, 10, tzinfo=TOKYO), datetime(2026, 11, 29, 12, tzinfo=TOKYO)
    times = [int(moment.timestamp() * 1000) for moment in (start, end)]
    assert _without_readings(dates.span(times[0], times[1], is_all_day=False)) == span


@pytest.mark.parametrize(("text", "en", "vi"), [
    ("2026年11月27日(金) 10:00", "Friday 27 November 2026 10:00", "Thứ Sáu, 27/11/2026 10:00"),
    ("2月29日（月）まで", "until Monday 29 February", "đến Thứ Hai, 29/2"),
    ("毎週火・木曜日", "every Tuesday, Thursday", "Thứ Ba, Thứ Năm hằng tuần"),
    ("毎月第2火曜日", "the 2nd Tuesday of every month", "Thứ Ba tuần thứ 2 mỗi tháng"),
    ("1時間30分", "1 h 30 min", "1 giờ 30 phút"),
    ("13月45日(月)", "13月45日(月)", "13月45日(月)"),
    ("2026年2月30日(月)", "2026年2月30日(月)", "2026年2月30日(月)"),
])  # fmt: skip
def test_a_day_inside_a_text_of_ours_is_told_too(text: str, en: str, vi: str) -> None:
    templates = Templates("桜町町内会")
    assert [templates.plain(text, TONGUES[code]) for code in ("en", "vi")] == [en, vi]
    assert templates.plain(text, TONGUES["ja"]) == text


def test_a_refusal_says_when_it_is_taken_in_the_language_of_who_asks() -> None:
    clash = "集会所は、2026年11月27日(金) 10:00〜12:00に、もう予約があります。この日に空いている時間：13:00〜15:00"
    said = Templates("桜町町内会").plain(clash, TONGUES["en"])
    assert said == "集会所 is taken already on Friday 27 November 2026 10:00〜12:00. Free on this day: 13:00〜15:00"


def test_weekdays_alone_are_as_short_as_in_each_language() -> None:
    assert [Dates(code).weekdays("月 水2") for code in ("ja", "en", "zh", "vi")] == [
        "月 水2", "Mon Wed(2)", "周一 周三(2)", "T2 T4(2)"]


def _without_readings(text: str) -> str:
    return re.sub(r"</?ruby>|<rt>.*?</rt>", "", str(text))
