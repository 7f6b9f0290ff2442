"""Which parts of an entry are each reader's own: alarms, and what apps note about them. Pure.

Thunderbird and Apple's apps write these into an entry also where it may only be read, and show an alarm again and
again if that is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from icalendar import Event

from server.calendars.calendar_object import CalendarObject
from server.calendars.reading import Part
from server.calendars.recurrence_rules import values_of
from server.calendars.refusals import Condition, refuse
from server.calendars.times import is_whole_day, to_ms

MAX_OVERLAY_BYTES: Final = 16 * 1024
_OWN: Final = frozenset({
    "TRANSP", "COLOR", "ACKNOWLEDGED", "X-APPLE-DEFAULT-ALARM", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR",
})
_OWN_PREFIXES: Final = ("X-MOZ-", "X-MICROSOFT-CDO-BUSYSTATUS", "X-LIC-")
# Apps renew these whenever they write.
_PASSING: Final = frozenset({"DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE"})
_ARRANGED: Final = frozenset({
    "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "URL",
    "ORGANIZER",
})
_END: Final = b"END:VEVENT\r\n"


def personal_lines(thing: CalendarObject) -> str:
    """What of an app's object is the writer's own, as lines of iCalendar; refuses what is no small note."""
    part = thing.parts[0]
    kept = Event()
    for name in part:
        if _is_own(name):
            kept[name] = part[name]
    kept.subcomponents = [sub for sub in part.subcomponents if sub.name == "VALARM"]
    written = str(kept.to_ical().decode())
    lines = written.removeprefix("BEGIN:VEVENT\r\n").removesuffix("END:VEVENT\r\n")
    if len(lines.encode()) > MAX_OVERLAY_BYTES:
        raise refuse(Condition.MAX_SIZE, "Your alarms of this entry are too long")
    return lines


def with_lines(data: bytes, lines: str) -> bytes:
    """An entry that everybody shares (one VEVENT of ours), with a reader's own lines in it."""
    before, end, after = data.rpartition(_END)
    return before + lines.encode() + end + after if end and lines else data


def says_the_same(one: CalendarObject, other: CalendarObject) -> bool:
    """Whether two objects differ at most in what is each reader's own."""
    return Counter(map(_essence, one.parts)) == Counter(map(_essence, other.parts))


def essence_but_answers(part: Part) -> frozenset[tuple[str, str]]:
    """What an attendee may not change: when, where and what it is, and who arranges it."""
    return frozenset(pair for pair in _essence(part) if pair[0] in _ARRANGED)


def _essence(part: Part) -> frozenset[tuple[str, str]]:
    own = ((name, _said(value) + _answer_in(value)) for name in part if not _is_own(name) and name not in _PASSING
           for value in values_of(part, name))
    inner = (("BEGIN", sub.name) for sub in part.subcomponents if sub.name != "VALARM")
    return frozenset((*own, *inner))


def _answer_in(value: Any) -> str:
    partstat = getattr(value, "params", {}).get("PARTSTAT")
    return "" if partstat is None else f" {partstat}".upper()


def _said(value: Any) -> str:
    return ",".join(_moments(value)) or _text(value)


def _moments(value: Any) -> Iterator[str]:
    listed = getattr(value, "dts", [value])
    for item in listed:
        moment = getattr(item, "dt", None)
        if isinstance(moment, date):
            yield f"{to_ms(moment)}{'d' if is_whole_day(moment) else ''}"


def _text(value: Any) -> str:
    raw = value.to_ical() if hasattr(value, "to_ical") else value
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _is_own(name: str) -> bool:
    return name.upper() in _OWN or name.upper().startswith(_OWN_PREFIXES)
