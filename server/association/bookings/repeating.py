"""Bookings that come again and again (毎週火曜日): when each time is, and how that is said. Pure.

A rule is the value of an RRULE (RFC 5545 section 3.3.10), of which only what halls are booked by is taken: every few
days, weeks or months, with an end. It goes by the clock on the wall in Japan, where clocks are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final

from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam

MAX_TIMES: Final = 60
_MOST_STEPS: Final = 800
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY_WORDS: Final = "月火水木金土日"
_UNITS: Final = {"DAILY": "日", "WEEKLY": "週", "MONTHLY": "月"}
_KNOWN: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYSETPOS"})
_WEEKDAY: Final = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_MOMENT: Final = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")


@dataclass(frozen=True, slots=True)
class Repeat:
    """How something repeats. ``unit`` is FREQ; ``weekdays`` count from Monday, 0.

    Of months: the ``nth`` such weekday (-1: the last), or else ``month_day``. It ends after ``count`` times or with
    the day ``last``; one of them is there. ``week_starts``: on which weekday the weeks begin that are skipped.
    """

    unit: str
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    nth: int = 0
    month_day: int = 0
    count: int = 0
    last: date | None = None
    week_starts: int = 0

    def starts(self, first: datetime) -> Iterator[datetime]:
        """All starts from ``first`` on, also those that are left out, at most ``MAX_TIMES`` and one more."""
        days = islice(self._days(first.date()), self.count or MAX_TIMES + 1)
        for day in days:
            if self.last is not None and day > self.last:
                return
            yield datetime.combine(day, first.timetz())

    def _days(self, first: date) -> Iterator[date]:
        for step in range(_MOST_STEPS):
            yield from (day for day in self._days_of_step(first, step * self.interval) if day >= first)

    def _days_of_step(self, first: date, steps: int) -> Iterator[date]:
        if self.unit == "DAILY":
            yield first + timedelta(days=steps)
        elif self.unit == "WEEKLY":
            into = (first.weekday() - self.week_starts) % 7
            week = first + timedelta(days=7 * steps - into)
            wanted = self.weekdays or (first.weekday(),)
            yield from (day for day in (week + timedelta(days=number) for number in range(7))
                        if day.weekday() in wanted)
        else:
            found = self._day_of_month(first, steps)
            if found is not None:
                yield found

    def _day_of_month(self, first: date, steps: int) -> date | None:
        months = first.year * 12 + first.month - 1 + steps
        year, month = divmod(months, 12)
        days = [day for number in range(31) if (day := date(year, month + 1, 1) + timedelta(days=number)).month
                == month + 1]
        if self.nth:
            days = [day for day in days if day.weekday() in self.weekdays]
            place = self.nth - 1 if self.nth > 0 else self.nth
            return days[place] if -len(days) <= place < len(days) else None
        wanted = self.month_day or first.day
        return next((day for day in days if day.day == wanted), None)

    def as_rule(self) -> str:
        """The RRULE value; the day of the end as a moment in UTC, as RFC 5545 wants it beside a start with a zone."""
        parts = [f"FREQ={self.unit}"]
        parts += [f"INTERVAL={self.interval}"] if self.interval > 1 else []
        if self.weekdays:
            nth = str(self.nth) if self.nth else ""
            parts.append("BYDAY=" + ",".join(nth + _DAYS[number] for number in self.weekdays))
        parts += [f"BYMONTHDAY={self.month_day}"] if self.month_day else []
        parts += [f"WKST={_DAYS[self.week_starts]}"] if self.week_starts else []
        parts += [f"COUNT={self.count}"] if self.count else []
        if self.last is not None:
            parts.append(f"UNTIL={datetime.combine(self.last, time(23, 59, 59), TOKYO).astimezone(UTC):%Y%m%dT%H%M%SZ}")
        return ";".join(parts)

    def in_words(self, first: date) -> str:
        """``毎週火曜日``, ``2週間ごとの火曜日``, ``毎月第2火曜日``."""
        if self.unit == "DAILY":
            return "毎日" if self.interval == 1 else f"{self.interval}日ごと"
        unit = "週間" if self.unit == "WEEKLY" else "か月"
        every = f"毎{_UNITS[self.unit]}" if self.interval == 1 else f"{self.interval}{unit}ごとの"
        days = "・".join(_DAY_WORDS[number] for number in self.weekdays or (first.weekday(),)) + "曜日"
        if self.unit == "WEEKLY":
            return every + days
        if self.nth:
            return every + (f"第{self.nth}" if self.nth > 0 else "最後の") + days
        return f"{every}{self.month_day or first.day}日"


def read_rule(rule: str, start: datetime) -> Repeat:
    """A rule as it is kept; raises ``InvalidParam`` with what is missing or not understood."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";") if part)
    unit = parts.get("FREQ", "")
    if unit not in _UNITS or not parts.keys() <= _KNOWN:
        raise InvalidParam("くり返しは、何日ごと、何週間ごと、何か月ごとのどれかにしてください")
    if not parts.get("COUNT") and not parts.get("UNTIL"):
        raise InvalidParam("くり返しの予約には、いつまでか、または何回かを入れてください")
    found = _pattern(unit, parts)
    count = _number(parts, "COUNT", 0, 1000)
    last = None if count else _last_day(parts["UNTIL"], start)
    return Repeat(unit, _number(parts, "INTERVAL", 1, 12), *found, count, last, _week_starts(parts))


def _pattern(unit: str, parts: Mapping[str, str]) -> tuple[tuple[int, ...], int, int]:
    """Weekdays, which of a month, day of the month."""
    days = [_WEEKDAY.fullmatch(item) for item in parts["BYDAY"].split(",")] if parts.get("BYDAY") else []
    if any(match is None for match in days):
        raise _unclear()
    weekdays = tuple(sorted({_DAYS.index(match[2]) for match in days if match is not None}))
    which = {int(match[1] or 0) for match in days if match is not None}
    nth = which.pop() if len(which) == 1 else 0
    month_day = _number(parts, "BYMONTHDAY", 0, 31)
    if which or (unit != "MONTHLY" and (nth or month_day or "BYSETPOS" in parts)) or (unit == "DAILY" and days):
        raise _unclear()
    if unit != "MONTHLY" or not days:
        return weekdays, 0, month_day
    nth = nth or _number(parts, "BYSETPOS", 0, 5)
    if not nth or nth < -1 or len(weekdays) > 1 or month_day:
        raise _unclear()
    return weekdays, nth, 0


def _last_day(text: str, start: datetime) -> date:
    match = _MOMENT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        day = datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=TOKYO)
        if match[2] is None:
            return day.date()
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC if match[3] else TOKYO)
        moment = moment.astimezone(TOKYO)
    except (ValueError, OverflowError):
        raise _unclear() from None
    return moment.date() if moment.timetz() >= start.timetz() else moment.date() - timedelta(days=1)


def _number(parts: Mapping[str, str], name: str, missing: int, most: int) -> int:
    text = parts.get(name, "")
    if not text:
        return missing
    least = -1 if name == "BYSETPOS" else 1
    if not re.fullmatch(r"[+-]?\d{1,4}", text) or not least <= int(text) <= most:
        raise _unclear()
    return int(text)


def _week_starts(parts: Mapping[str, str]) -> int:
    text = parts.get("WKST", "MO")
    if text not in _DAYS:
        raise _unclear()
    return _DAYS.index(text)


def _unclear() -> InvalidParam:
    return InvalidParam("このくり返しかたでは、予約できません")
