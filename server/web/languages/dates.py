"""Dates in the words of each language, always in Japan's time; in Japanese with 令和 and the day of the week."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from server.foundation.clock import tokyo_time
from server.web.languages.furigana import ruby, without_readings
from server.web.languages.tongues import EASY, JAPANESE

# A moment in milliseconds since 1970, or a day.
When = int | date

_REIWA: Final = date(2019, 5, 1)
_REIWA_BEFORE: Final = 2018  # 令和1年 is 2019
_JAPANESE_DAYS: Final = "月火水木金土日"
_ENGLISH_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                          "October", "November", "December")  # fmt: skip
_MONTH: Final[Mapping[str, str]] = {
    "ja": "{year}年{era}{month}月", "ja-easy": "{year}年《ねん》{era}{month}月《がつ》", "en": "{name} {year}{era}",
    "zh": "{year}年{era}{month}月", "vi": "Tháng {month}/{year}{era}",
}
# The seven days from Monday on, as they are said and as short as they are written.
_DAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "ja": tuple(_JAPANESE_DAYS),
    "ja-easy": tuple(
        f"{letter}曜日《{reading}ようび》"
        for letter, reading in zip(_JAPANESE_DAYS, ("げつ", "か", "すい", "もく", "きん", "ど", "にち"), strict=True)),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": tuple(f"星期{letter}" for letter in "一二三四五六日"),
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
}
_SHORT_DAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": tuple(f"周{letter}" for letter in "一二三四五六日"), "vi": ("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
}
# A day without its year; the year with the era, the day put in where it belongs; from when until when.
_SHORT: Final[Mapping[str, Callable[[date, str], str]]] = {
    "ja": lambda day, name: f"{day.month}月{day.day}日（{name}）",
    "ja-easy": lambda day, name: f"{day.month}月《がつ》{day.day}日《にち》（{name}）",
    "en": lambda day, name: f"{name} {day.day} {_ENGLISH_MONTHS[day.month - 1]}",
    "zh": lambda day, name: f"{day.month}月{day.day}日（{name}）",
    "vi": lambda day, name: f"{name}, {day.day}/{day.month}",
}
_WITH_YEAR: Final[Mapping[str, str]] = {
    "ja": "{year}年{era}{day}", "ja-easy": "{year}年《ねん》{era}{day}",
    "en": "{day} {year}{era}", "zh": "{year}年{era}{day}", "vi": "{day}/{year}{era}",
}
_ERA: Final[Mapping[str, str]] = {
    "ja": "（令和{0}年）", "ja-easy": "（令和《れいわ》{0}年《ねん》）",
    "en": " (Reiwa {0})", "zh": "（令和{0}年）", "vi": " (Reiwa {0})",
}
_SPAN: Final[Mapping[str, tuple[str, str, str]]] = {
    "ja": ("一日", "{0}まで", "{0}から"), "ja-easy": ("一日《いちにち》", "{0}まで", "{0}から"),
    "en": ("all day", "until {0}", "from {0}"), "zh": ("全天", "到{0}", "{0}开始"),
    "vi": ("cả ngày", "đến {0}", "từ {0}"),
}
_NTH: Final[Mapping[str, Callable[[int, str], str]]] = {
    "en": lambda number, name: f"{('1st', '2nd', '3rd', '4th', '5th')[number - 1]} {name}",
    "zh": lambda number, name: f"第{number}个{name}", "vi": lambda number, name: f"{name} tuần thứ {number}",
}
# What a text of ours says of days in Japanese: 2026年11月27日(金), 火・木曜日, 第2火曜日.
_SAID_DAY: Final = re.compile(r"(?:([0-9]{4})年)?([0-9]{1,2})月([0-9]{1,2})日[（(]([月火水木金土日])[）)]")
_SAID_WEEKDAYS: Final = re.compile(r"(?:第([1-5]))?((?:[月火水木金土日]・)*[月火水木金土日])曜日")
_LEAP_YEAR: Final = 2024  # has every day that a year may have
_WEEKDAY: Final = re.compile(f"([{_JAPANESE_DAYS}])([1-5])?")


def time_of(ms: int) -> str:
    """20:42"""
    return f"{tokyo_time(ms):%H:%M}"


class Dates:
    """The filters of templates for dates in one language."""

    def __init__(self, code: str) -> None:
        self._code = code

    def short_day(self, when: When) -> str:
        """11月23日（月）, Monday 23 November."""
        return self._shown(self._short(when))

    def day(self, when: When) -> str:
        """The same with the year and the era."""
        on = _day_of(when)
        return self._shown(_WITH_YEAR[self._code].format(day=self._short(on), year=on.year, era=self._era(on)))

    def month(self, on: date) -> str:
        """2026年（令和8年）11月, November 2026 (Reiwa 8); of a day in it."""
        said = _MONTH[self._code].format(
            year=on.year, month=on.month, name=_ENGLISH_MONTHS[on.month - 1], era=self._era(on))
        return self._shown(said)

    def weekday(self, on: date) -> str:
        """月, Mon: at the head of a column."""
        return _SHORT_DAYS.get(self._code, _JAPANESE_DAYS)[on.weekday()]

    def days(self, first: date, last: date) -> str:
        """From a day to another one, or one day."""
        return self._shown(self._days(first, last))

    def plain_days(self, first: date, last: date | None = None) -> str:
        """The same where no readings can be shown: in a list to choose from."""
        return without_readings(self._days(first, last or first))

    def moment(self, ms: int) -> str:
        """A day and the time."""
        return self._shown(f"{self._short(ms)} {time_of(ms)}")

    def span(self, start_ms: int, end_ms: int, *, is_all_day: bool) -> str:
        """When something takes place, its first day left out: ``10:00〜12:00``, 一日, ``11月24日（火）まで``."""
        whole_day, until, since = _SPAN[self._code]
        start, end = tokyo_time(start_ms), tokyo_time(end_ms)
        if is_all_day:
            last = (end - timedelta(days=1)).date()
            return self._shown(whole_day if last <= start.date() else until.format(self._short(last)))
        if start == end:
            return since.format(f"{start:%H:%M}")
        last_day = "" if start.date() == end.date() else f"{self._short(end)} "
        return self._shown(f"{start:%H:%M}〜{last_day}{end:%H:%M}")

    def weekdays(self, text: str) -> str:
        """Letters of weekdays as other languages write them: 「月」, and cells of open data like 「水2 水4」."""
        names = _SHORT_DAYS.get(self._code)
        if names is None:
            return text
        return _WEEKDAY.sub(
            lambda found: names[_JAPANESE_DAYS.index(found[1])] + (f"({found[2]})" if found[2] else ""), text)

    def retold(self, text: str) -> str:
        """The Japanese dates and weekdays in a text of ours, in this language."""
        if self._code in (JAPANESE.code, EASY.code):
            return text
        return _SAID_WEEKDAYS.sub(self._weekdays_said, _SAID_DAY.sub(self._day_said, text))

    def filters(self) -> dict[str, Any]:
        """By the names that templates use."""
        return {"day": self.day, "short_day": self.short_day, "clock": time_of, "moment": self.moment,
                "weekdays": self.weekdays, "weekday": self.weekday, "month": self.month}

    def _era(self, on: date) -> str:
        return _ERA[self._code].format(on.year - _REIWA_BEFORE) if on >= _REIWA else ""

    def _short(self, when: When) -> str:
        on = _day_of(when)
        return _SHORT[self._code](on, _DAYS[self._code][on.weekday()])

    def _days(self, first: date, last: date) -> str:
        return self._short(first) if first == last else f"{self._short(first)}〜{self._short(last)}"

    def _shown(self, text: str) -> str:
        return ruby(text) if self._code == EASY.code else text

    def _day_said(self, found: re.Match[str]) -> str:
        year, month, day, weekday = found.groups()
        try:
            on = date(int(year or _LEAP_YEAR), int(month), int(day))
        except ValueError:
            return found.group()
        short = _SHORT[self._code](on, _DAYS[self._code][_JAPANESE_DAYS.index(weekday)])
        return _WITH_YEAR[self._code].format(day=short, year=year, era="") if year else short

    def _weekdays_said(self, found: re.Match[str]) -> str:
        nth, letters = found.groups()
        said = ", ".join(_DAYS[self._code][_JAPANESE_DAYS.index(letter)] for letter in letters.split("・"))
        return _NTH[self._code](int(nth), said) if nth else said


def _day_of(when: When) -> date:
    return when if isinstance(when, date) else tokyo_time(when).date()
