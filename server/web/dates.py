"""Dates as they stand on a wall in Japan: with 令和 and the day of the week, in Japan's time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from server.foundation.clock import TOKYO, tokyo_time
from server.foundation.errors import InvalidParam

_WEEKDAYS: Final = "月火水木金土日"
_REIWA: Final = date(2019, 5, 1)
_REIWA_BEFORE: Final = 2018  # 令和1年 is 2019


def full_date(day: date) -> str:
    """2026年（令和8年）11月23日（月）"""
    return year_of(day) + short_date(day)


def year_of(day: date) -> str:
    """2026年（令和8年）"""
    era = f"（令和{day.year - _REIWA_BEFORE}年）" if day >= _REIWA else ""
    return f"{day.year}年{era}"


def short_date(day: date) -> str:
    """11月23日（月）"""
    return f"{day.month}月{day.day}日（{_WEEKDAYS[day.weekday()]}）"


def full_date_of(ms: int) -> str:
    """The day of a moment (ms since 1970) with the year."""
    return full_date(tokyo_time(ms).date())


def year_of_moment(ms: int) -> str:
    """The year of a moment (ms since 1970)."""
    return year_of(tokyo_time(ms).date())


def short_date_of(ms: int) -> str:
    """The day of a moment without the year."""
    return short_date(tokyo_time(ms).date())


def time_of(ms: int) -> str:
    """20:42"""
    return f"{tokyo_time(ms):%H:%M}"


def moment_of(ms: int) -> str:
    """11月23日（月） 20:42"""
    return f"{short_date_of(ms)} {time_of(ms)}"


def input_date_of(ms: int) -> str:
    """What ``<input type="date">`` holds."""
    return f"{tokyo_time(ms):%Y-%m-%d}"


def day_from_input(text: str, what: str) -> date:
    """What somebody has put into such a field; raises ``InvalidParam``."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidParam(f"{what}の日にちを、もう一度えらんでください。") from None


def moment_from_input(day_text: str, time_text: str, what: str) -> datetime:
    """A day and a time (``HH:MM``) in Japan; raises ``InvalidParam``."""
    day = day_from_input(day_text, what)
    try:
        at = datetime.strptime(time_text.strip(), "%H:%M").time()  # noqa: DTZ007 - a time without a day has no zone
    except ValueError:
        raise InvalidParam(f"{what}の時刻を、もう一度えらんでください。") from None
    return datetime.combine(day, at, TOKYO)


def end_of_day_ms(day: date) -> int:
    """The last millisecond of a day in Japan: a deadline includes its day."""
    following = datetime.combine(day + timedelta(days=1), datetime.min.time(), TOKYO)
    return int(following.timestamp() * 1000) - 1


def span_of(start_ms: int, end_ms: int, *, is_all_day: bool) -> str:
    """When something takes place, its first day left out: ``10:00〜12:00``, 一日, ``11月24日（火）まで``."""
    start, end = tokyo_time(start_ms), tokyo_time(end_ms)
    if is_all_day:
        last = (end - timedelta(days=1)).date()
        return "一日" if last <= start.date() else f"{short_date(last)}まで"
    if start == end:
        return f"{start:%H:%M}から"
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{short_date(end.date())} {end:%H:%M}"
    return f"{start:%H:%M}〜{until}"
