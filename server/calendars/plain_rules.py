"""Starts of the rules that most entries have (毎週, 毎月15日), reckoned instead of searched for.

A search walks from the first start on, which takes long for what has been in calendars for years. Whatever is not plain
is left to the library (``recurrence_rules.starts_of``); tests compare the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAYS_OF: Final = {"DAILY": 1, "WEEKLY": 7}
_KNOWN: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY"})
_LAST: Final = datetime(9999, 12, 31)  # noqa: DTZ001 - a clock on a wall
_UNBOUNDED: Final = 1 << 30
# Every month has these.
_SURE_DAYS: Final = 28


def plain_starts(rule: str, start: datetime, first: datetime) -> Iterator[datetime] | None:
    """Starts from about ``first`` on, in order, by a rule whose UNTIL is on the same clock; ``None`` if not plain."""
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    try:
        interval, count = int(parts.get("INTERVAL", "1")), int(parts.get("COUNT", _UNBOUNDED))
        until = _moment(parts["UNTIL"]) if "UNTIL" in parts else _LAST
    except ValueError:
        return None
    if not parts.keys() <= _KNOWN or interval < 1 or not _is_once_a_step(parts, start):
        return None
    days = _DAYS_OF.get(parts["FREQ"])
    found = _by_months(start, first, interval) if days is None else _by_days(start, first, days * interval)
    return _until(found, count, until)


def _is_once_a_step(parts: Mapping[str, str], start: datetime) -> bool:
    """Whether each day, week or month has one start, and the first is one of them."""
    frequency, weekday, month_day = parts.get("FREQ"), parts.get("BYDAY"), parts.get("BYMONTHDAY")
    if frequency == "MONTHLY":
        return weekday is None and month_day in (None, str(start.day)) and start.day <= _SURE_DAYS
    return frequency in _DAYS_OF and month_day is None and (
        weekday is None or (frequency == "WEEKLY" and weekday == _DAYS[start.weekday()]))


def _by_days(start: datetime, first: datetime, days: int) -> Iterator[tuple[int, datetime]]:
    step = timedelta(days=days)
    number = max(0, (first - start) // step)
    at = start + number * step
    last = _LAST - step
    while at <= last:
        yield number, at
        number, at = number + 1, at + step


def _by_months(start: datetime, first: datetime, months: int) -> Iterator[tuple[int, datetime]]:
    number = max(0, ((first.year - start.year) * 12 + first.month - start.month) // months)
    while True:
        year, month = divmod(start.year * 12 + start.month - 1 + number * months, 12)
        if year > _LAST.year:
            return
        yield number, start.replace(year=year, month=month + 1)
        number += 1


def _until(found: Iterator[tuple[int, datetime]], count: int, until: datetime) -> Iterator[datetime]:
    for number, at in found:
        if number >= count or at > until:
            return
        yield at


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")  # noqa: DTZ007 - a clock on a wall
