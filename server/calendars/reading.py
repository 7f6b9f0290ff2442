"""From bytes to components: cheap limits on the text first, then icalendar; nothing of it may hurt the node."""

from __future__ import annotations

import re
import threading
import warnings
from typing import Any, Final, TypeAlias

from icalendar import Calendar
from icalendar.timezone import tzp

from server.calendars.refusals import Condition, refuse

# A component as icalendar gives it. Its properties are typed as a union of thirty kinds, which says nothing.
Part: TypeAlias = Any

MAX_BYTES: Final = 512 * 1024
MAX_COMPONENTS: Final = 600
MAX_LINES: Final = 12_000
MAX_RULE: Final = 600
MAX_LISTED_DATES: Final = 2000
MAX_ZONE_PARTS: Final = 120

_BEGIN: Final = re.compile(r"(?im)^BEGIN:([A-Z0-9-]+)[ \t]*\r?$")
_RULE: Final = re.compile(r"(?im)^(?:RRULE|EXRULE)[;:](.*)$")
_DATES: Final = re.compile(r"(?im)^(?:RDATE|EXDATE)[;:](.*)$")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ZONES: Final = re.compile(r"(?ims)^BEGIN:VTIMEZONE[ \t]*\r?$.*?^END:VTIMEZONE[ \t]*\r?$")
_ZONE_ID: Final = re.compile(r"(?im)^TZID(?:;[^:\r\n]*)?:([^\r\n]*)")
_ZONE_RULE: Final = frozenset({"FREQ", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"})

_CUSTOM_ZONES: Final = threading.Lock()


def read_calendar(data: bytes) -> Calendar:
    """Parse one ``VCALENDAR``; refuses what is none, or too big, or too much work (RFC 4791 section 5.3.2.1)."""
    if len(data) > MAX_BYTES:
        raise refuse(Condition.MAX_SIZE, f"An entry may have at most {MAX_BYTES} bytes")
    text = unfolded(data)
    _require_modest(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendar = _parse(data, text)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        raise _invalid(f"The entry is not valid iCalendar: {str(fault)[:120]}") from None
    if not isinstance(calendar, Calendar):
        raise _invalid("The entry is not a VCALENDAR")
    return calendar


def unfolded(data: bytes) -> str:
    """The text with its folded lines joined (RFC 5545 section 3.1); refuses what is not UTF-8 text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid("The entry is not UTF-8 text") from None
    if _CONTROL.search(text):
        raise _invalid("The entry contains control characters")
    return text.replace("\r\n ", "").replace("\r\n\t", "").replace("\n ", "").replace("\n\t", "")


def _require_modest(text: str) -> None:
    if text.count("\n") > MAX_LINES or len(_BEGIN.findall(text)) > MAX_COMPONENTS:
        raise refuse(Condition.MAX_SIZE, "The entry has too many parts")
    for rule in _RULE.findall(text):
        if len(rule) > MAX_RULE:
            raise refuse(Condition.MAX_INSTANCES, "The rule of recurrence is too long")
    # A few more than are kept: all components of an entry together, before any of them is looked at.
    if sum(dates.count(",") + 1 for dates in _DATES.findall(text)) > 2 * MAX_LISTED_DATES:
        raise refuse(Condition.MAX_INSTANCES, "The entry lists too many dates")
    zones = _ZONES.findall(text)
    if sum(zone.upper().count("BEGIN:") for zone in zones) > MAX_ZONE_PARTS:
        raise refuse(Condition.MAX_SIZE, "The entry describes too many time zones")
    for zone in zones:
        _require_yearly(zone)


def _require_yearly(zone: str) -> None:
    """Clocks change once or twice a year, on a day that exists; any other rule only serves to make us search."""
    for rule in _RULE.findall(zone):
        parts = dict(part.partition("=")[::2] for part in rule.strip().upper().split(";"))
        if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _ZONE_RULE or not _day_exists(parts):
            raise _invalid("The rule of a time zone must name a day of every year")


def _day_exists(parts: dict[str, str]) -> bool:
    days = parts.get("BYMONTHDAY", "1").split(",")
    weekday_counted = any(sign in parts.get("BYDAY", "") for sign in "12345")
    return any(day.lstrip("+-").isdigit() and 1 <= int(day.lstrip("+-")) <= 28 for day in days) and not (
        weekday_counted and "BYMONTHDAY" in parts
    )


def _parse(data: bytes, text: str) -> Part:
    if all(_is_known(name) for name in _ZONE_ID.findall(text)):
        return _from_ical(data)
    # icalendar remembers a zone of the caller's own making by its name, for everybody and for ever; so it is made to
    # forget before and after, and one thread at a time.
    with _CUSTOM_ZONES:
        tzp.use_default()
        try:
            return _from_ical(data)
        finally:
            tzp.use_default()


def _from_ical(data: bytes) -> Part:
    return Calendar.from_ical(data)


def _is_known(name: str) -> bool:
    try:
        return tzp.timezone(name.strip()) is not None
    except (ValueError, OSError):
        return False


def _invalid(reason: str) -> Exception:
    return refuse(Condition.CALENDAR_DATA, reason)
