"""The national holidays of Japan (国民の祝日に関する法律), from 2020 on, as far as the law stands today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_FIRST_YEAR: Final = 2020
_FIXED: Final = {
    (1, 1): "元日", (2, 11): "建国記念の日", (2, 23): "天皇誕生日", (4, 29): "昭和の日", (5, 3): "憲法記念日",
    (5, 4): "みどりの日", (5, 5): "こどもの日", (8, 11): "山の日", (11, 3): "文化の日", (11, 23): "勤労感謝の日",
}
# Month and which Monday of it.
_MONDAYS: Final = {(1, 2): "成人の日", (7, 3): "海の日", (9, 3): "敬老の日", (10, 2): "スポーツの日"}
# Moved by law for the games in Tokyo.
_GAMES: Final = {
    2020: {"海の日": (7, 23), "スポーツの日": (7, 24), "山の日": (8, 10)},
    2021: {"海の日": (7, 22), "スポーツの日": (7, 23), "山の日": (8, 8)},
}
_MONDAY: Final = 0
_SUNDAY: Final = 6
_ONE: Final = timedelta(days=1)


def holiday(day: date) -> str:
    """What a day is called, empty for a day like others. Before 2020 nothing is known."""
    return holidays_of(day.year).get(day, "")


@lru_cache(maxsize=64)
def holidays_of(year: int) -> Mapping[date, str]:
    """All holidays of a year, with those that fall on another day and those between two."""
    if year < _FIRST_YEAR:
        return {}
    found = dict(sorted(_by_name(year)))
    for day in list(found):
        if day.weekday() == _SUNDAY:
            instead = day + _ONE
            while instead in found:
                instead += _ONE
            found[instead] = "振替休日"
    for day in list(found):
        between = day + _ONE
        if between not in found and between + _ONE in found and between.weekday() != _SUNDAY:
            found.setdefault(between, "国民の休日")
    return found


def _by_name(year: int) -> list[tuple[date, str]]:
    days = {name: date(year, month, day) for (month, day), name in _FIXED.items()}
    days |= {name: _nth_monday(year, month, number) for (month, number), name in _MONDAYS.items()}
    # The formula of the almanac, good from 1980 to 2099.
    leaps = (year - 1980) // 4
    days["春分の日"] = date(year, 3, int(20.8431 + 0.242194 * (year - 1980)) - leaps)
    days["秋分の日"] = date(year, 9, int(23.2488 + 0.242194 * (year - 1980)) - leaps)
    days |= {name: date(year, *moved) for name, moved in _GAMES.get(year, {}).items()}
    return [(day, name) for name, day in days.items()]


def _nth_monday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_MONDAY - first.weekday()) % 7 + 7 * (number - 1))
