"""Dates in the words of each language, always in Japan's time. Japanese ones are in ``server/web/dates.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from server.foundation.clock import tokyo_time
from server.web import dates
from server.web.languages.furigana import ruby
from server.web.languages.tongues import EASY, JAPANESE

_ENGLISH_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ENGLISH_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                          "October", "November", "December")  # fmt: skip
_CHINESE_DAYS: Final = "一二三四五六日"
_VIETNAMESE_DAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
_EASY_DAYS: Final = ("月曜日《げつようび》", "火曜日《かようび》", "水曜日《すいようび》", "木曜日《もくようび》",
                     "金曜日《きんようび》", "土曜日《どようび》", "日曜日《にちようび》")  # fmt: skip


def _english(day: date) -> str:
    return f"{_ENGLISH_DAYS[day.weekday()]} {day.day} {_ENGLISH_MONTHS[day.month - 1]}"


def _chinese(day: date) -> str:
    return f"{day.month}月{day.day}日（星期{_CHINESE_DAYS[day.weekday()]}）"


def _vietnamese(day: date) -> str:
    return f"{_VIETNAMESE_DAYS[day.weekday()]}, {day.day}/{day.month}"


def _easy(day: date) -> str:
    return f"{day.month}月《がつ》{day.day}日《にち》（{_EASY_DAYS[day.weekday()]}）"


def _reiwa(day: date) -> int:
    return day.year - 2018


# A day without its year; the year with the era, the day put in where it belongs; from when until when.
_SHORT: Final[Mapping[str, Callable[[date], str]]] = {
    "ja": dates.short_date, "ja-easy": _easy, "en": _english, "zh": _chinese, "vi": _vietnamese,
}
_WITH_YEAR: Final[Mapping[str, Callable[[date, str], str]]] = {
    "ja": lambda day, short: dates.year_of(day) + short,
    "ja-easy": lambda day, short: f"{day.year}年《ねん》（令和《れいわ》{_reiwa(day)}年《ねん》）{short}",
    "en": lambda day, short: f"{short} {day.year} (Reiwa {_reiwa(day)})",
    "zh": lambda day, short: f"{day.year}年（令和{_reiwa(day)}年）{short}",
    "vi": lambda day, short: f"{short}/{day.year} (Reiwa {_reiwa(day)})",
}
_SPAN: Final[Mapping[str, tuple[str, str, str]]] = {
    "ja": ("一日", "{0}まで", "{0}から"), "ja-easy": ("一日《いちにち》", "{0}まで", "{0}から"),
    "en": ("all day", "until {0}", "from {0}"), "zh": ("全天", "到{0}", "{0}开始"),
    "vi": ("cả ngày", "đến {0}", "từ {0}"),
}


class Dates:
    """The filters of templates for dates in one language. Moments are milliseconds since 1970."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._short = _SHORT[code]

    def _shown(self, text: str) -> str:
        return ruby(text) if self._code == EASY.code else text

    def short_day(self, ms: int) -> str:
        """11月23日（月）, Monday 23 November."""
        return self._shown(self._short(tokyo_time(ms).date()))

    def day(self, ms: int) -> str:
        """The same with the year and the era."""
        on = tokyo_time(ms).date()
        return self._shown(_WITH_YEAR[self._code](on, self._short(on)))

    def moment(self, ms: int) -> str:
        """A day and the time."""
        return self._shown(f"{self._short(tokyo_time(ms).date())} {dates.time_of(ms)}")

    def span(self, start_ms: int, end_ms: int, *, is_all_day: bool) -> str:
        """From when until when, the first day left out (``dates.span_of``)."""
        if self._code == JAPANESE.code:
            return dates.span_of(start_ms, end_ms, is_all_day=is_all_day)
        whole_day, until, since = _SPAN[self._code]
        start, end = tokyo_time(start_ms), tokyo_time(end_ms)
        if is_all_day:
            last = tokyo_time(end_ms - 1).date()
            return self._shown(whole_day if last <= start.date() else until.format(self._short(last)))
        if start == end:
            return since.format(f"{start:%H:%M}")
        last_day = "" if start.date() == end.date() else f"{self._short(end.date())} "
        return self._shown(f"{start:%H:%M}〜{last_day}{end:%H:%M}")

    def filters(self) -> dict[str, Any]:
        """By the names that templates use."""
        return {"day": self.day, "short_day": self.short_day, "clock": dates.time_of, "moment": self.moment}
