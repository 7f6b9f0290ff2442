"""Refuse recurrence that would cost too much to expand, before anything expands it (RFC 5545 section 3.3.10).

A rule can be hostile in three ways: too dense (every second), too far from its start (daily since 1600), or barren
(30 February, looked for day by day until the year 9999).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

from server.calendars.reading import MAX_LISTED_DATES, Part
from server.calendars.refusals import CalendarRefused, Condition, refuse
from server.calendars.times import LONGEST, is_whole_day, moment, require_sane

MAX_PER_DAY: Final = 8
MAX_LIST: Final = 100
OLDEST_DAILY: Final = 1900

_KNOWN: Final = frozenset({
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
    "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND",
})
_FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_LAST_PROBED_YEAR: Final = 9999


def require_harmless(parts: Sequence[Part]) -> None:
    """Refuse a series whose occurrences could not be found quickly."""
    for part in parts:
        rules = values_of(part, "RRULE")
        if not rules:
            continue
        if len(rules) > 1:
            raise _invalid("More than one RRULE is not understood")
        if "DTSTART" not in part and "DUE" not in part:
            raise _invalid("A recurring entry needs DTSTART")
        start = part["DTSTART" if "DTSTART" in part else "DUE"].dt
        _require_harmless_rule(rules[0], start)


def require_bounded_dates(part: Part) -> None:
    """RDATE and EXDATE: readable, not too many, not from another age."""
    listed = 0
    for name in ("RDATE", "EXDATE"):
        for value in dates_listed(part, name):
            listed += 1
            first = value[0] if isinstance(value, tuple) else value
            if not isinstance(first, date):
                raise _invalid(f"{name} holds something that is no date")
            require_sane(first)
            if isinstance(value, tuple) and not timedelta(0) <= length_of(value) <= LONGEST:
                raise _invalid(f"A period of {name} is too long, or ends before it starts")
    if listed > MAX_LISTED_DATES:
        raise _too_many("The entry lists too many dates")


def dates_listed(part: Part, name: str) -> Iterator[Any]:
    """The values of RDATE or EXDATE, however they are spread over lines; a period is a tuple."""
    for group in values_of(part, name):
        for value in getattr(group, "dts", ()):
            yield value.dt


def length_of(period: tuple[Any, Any]) -> timedelta:
    """How long a period of an RDATE is; its second half is a length or an end."""
    start, end = period
    length: timedelta = end if isinstance(end, timedelta) else moment(end) - moment(start)
    return length


def values_of(part: Part, name: str) -> list[Any]:
    """All lines of one property."""
    value = part.get(name)
    if value is None:
        return []
    return list(value) if type(value) is list else [value]


def _require_harmless_rule(rule: Any, start: date | datetime) -> None:
    if not hasattr(rule, "items"):
        raise _invalid("RRULE cannot be read")
    _require_known_parts(rule)
    frequency = str(rule["FREQ"][0]).upper()
    if frequency not in _FREQUENCIES:
        raise _too_many("An entry may recur daily at most")
    if frequency in ("DAILY", "WEEKLY") and start.year < OLDEST_DAILY:
        raise _too_many("Such an entry may not start so long ago")
    per_day = len(rule.get("BYHOUR", "1")) * len(rule.get("BYMINUTE", "1")) * len(rule.get("BYSECOND", "1"))
    if per_day > MAX_PER_DAY:
        raise _too_many("An entry may recur a few times a day at most")
    _require_fruitful(rule, start)


def _require_known_parts(rule: Any) -> None:
    names = {str(name).upper() for name in rule}
    if "FREQ" not in names or not names <= _KNOWN or len(rule["FREQ"]) != 1:
        raise _invalid("RRULE has a part that is not understood")
    if {"COUNT", "UNTIL"} <= names:
        raise _invalid("COUNT and UNTIL exclude each other")
    if any(len(values) > MAX_LIST for values in rule.values()):
        raise _too_many("A part of the RRULE is too long")
    for name in ("COUNT", "INTERVAL"):
        if name in rule and not 1 <= int(rule[name][0]) <= 100_000:
            raise _invalid(f"{name} is out of range")


def _require_fruitful(rule: Any, start: date | datetime) -> None:
    """Look for a first match late in the calendar, where the search must end soon.

    The weekdays of the years repeat every 28 years within a century, and dateutil stops at 9999: the same rule, moved
    there, is walked for 28 to 55 years at most.
    """
    probe = {name: values for name, values in rule.items() if name not in ("COUNT", "UNTIL")}
    text = type(rule)(probe).to_ical().decode()
    moved = _moved(start)
    try:
        first = list(islice(starts_of(text, moved), 1))
    except (ValueError, TypeError, OverflowError) as fault:
        raise _invalid(f"RRULE cannot be used: {str(fault)[:80]}") from None
    interval = int(rule["INTERVAL"][0]) if "INTERVAL" in rule else 1
    if not first and interval == 1:
        raise _too_many("The RRULE never comes true")
    if not first and _steps_to_the_end(str(rule["FREQ"][0]).upper(), interval) > _MAX_STEPS:
        raise _too_many("The RRULE comes true too rarely")


_MAX_STEPS: Final = 5000
_PER_YEAR: Final = {"DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 1}


def _steps_to_the_end(frequency: str, interval: int) -> int:
    return (_LAST_PROBED_YEAR - 1600) * _PER_YEAR[frequency] // interval


def starts_of(rule: str, start: datetime) -> Iterator[datetime]:
    """The starts that an RRULE gives from ``start`` on, without end if it has none."""
    return iter(rrulestr(rule, dtstart=start))


def _moved(start: date | datetime) -> datetime:
    """``start`` without its zone, in the last year but 28 to 55 that has the same days."""
    clock = (0, 0, 0) if is_whole_day(start) else (start.hour, start.minute, start.second)  # type: ignore[union-attr]
    first = date(start.year, 1, 1)
    for year in range(_LAST_PROBED_YEAR - 28, _LAST_PROBED_YEAR - 56, -1):
        same_days = date(year, 1, 1).weekday() == first.weekday() and _is_leap(year) == _is_leap(start.year)
        if same_days:
            return datetime(year, start.month, start.day, *clock)  # noqa: DTZ001  a zone would only slow the probe
    raise AssertionError("28 years hold every kind of year")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _invalid(reason: str) -> CalendarRefused:
    return refuse(Condition.CALENDAR_DATA, reason)


def _too_many(reason: str) -> CalendarRefused:
    return refuse(Condition.MAX_INSTANCES, reason)


def rule_texts(parts: Iterable[Part]) -> list[str]:
    """The RRULE values of some components, as text."""
    return [rule.to_ical().decode() for part in parts for rule in values_of(part, "RRULE")]
