"""A calendar object resource: one UID, one kind of component, a master and its overrides (RFC 4791 section 4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from icalendar import Calendar

from server.calendars.model import COMPONENTS
from server.calendars.reading import Part, read_calendar
from server.calendars.recurrence_rules import require_bounded_dates, require_harmless
from server.calendars.refusals import CalendarRefused, Condition, refuse
from server.calendars.times import LONGEST, is_whole_day, moment, require_sane

MAX_UID: Final = 255
_TIMES: Final = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "COMPLETED", "CREATED", "LAST-MODIFIED", "DTSTAMP")
_STRUCTURE: Final = frozenset({*_TIMES, "DURATION", "RRULE", "RDATE", "EXDATE", "TRIGGER", "UID"})


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """A checked object: ``data`` as sent, ``parts`` its components of kind ``component``, the master first."""

    data: bytes
    etag: str
    uid: str
    component: str
    calendar: Calendar
    parts: tuple[Part, ...]

    @property
    def master(self) -> Part | None:
        """The component without RECURRENCE-ID, if it is among them."""
        return None if "RECURRENCE-ID" in self.parts[0] else self.parts[0]

    @property
    def recurs(self) -> bool:
        """Whether there is more than one occurrence to it."""
        return len(self.parts) > 1 or any(name in self.parts[0] for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def etag_of(data: bytes) -> str:
    """A strong ETag, bare: it changes exactly when the bytes do."""
    return hashlib.sha256(data).hexdigest()[:32]


def read_object(data: bytes) -> CalendarObject:
    """Parse and check what a client wants to store; raises a ``CalendarRefused`` that names the precondition."""
    thing = open_object(data)
    if "METHOD" in thing.calendar:
        raise _bad("An entry in a calendar has no METHOD")
    for part in thing.parts:
        _require_sound(part)
    _require_one_series(thing)
    return thing


def open_object(data: bytes) -> CalendarObject:
    """Parse an object whose rules were checked when it was stored."""
    calendar = read_calendar(data)
    parts = _parts_of(calendar)
    component = str(parts[0].name)
    uid = str(parts[0].get("UID", "")).strip()
    if not uid or len(uid.encode()) > MAX_UID:
        raise _bad("An entry needs a UID of at most 255 bytes")
    if any(str(part.get("UID", "")).strip() != uid or part.name != component for part in parts):
        raise _bad("One resource holds one entry: a single UID and a single kind of component")
    return CalendarObject(data, etag_of(data), uid, component, calendar, parts)


def _parts_of(calendar: Calendar) -> tuple[Part, ...]:
    parts = [part for part in calendar.subcomponents if part.name != "VTIMEZONE"]
    if not parts:
        raise _bad("The entry is empty")
    if any(part.name not in COMPONENTS for part in parts):
        raise refuse(Condition.SUPPORTED_COMPONENT, "Only VEVENT, VTODO and VJOURNAL are kept")
    return tuple(sorted(parts, key=lambda part: "RECURRENCE-ID" in part))


def _require_one_series(thing: CalendarObject) -> None:
    masters = [part for part in thing.parts if "RECURRENCE-ID" not in part]
    overridden = [moment(part.decoded("RECURRENCE-ID")) for part in thing.parts if "RECURRENCE-ID" in part]
    if len(masters) > 1 or len(set(overridden)) < len(overridden):
        raise _bad("One resource holds one entry: at most one master, and one override an occurrence")
    require_harmless(thing.parts)


def _require_sound(part: Part) -> None:
    """Refuse a component whose times cannot be read or make no sense."""
    broken = sorted({name for name, _ in part.errors} & _STRUCTURE)
    for alarm in part.subcomponents:
        broken += sorted({name for name, _ in alarm.errors} & _STRUCTURE)
    if broken:
        raise _invalid(f"{broken[0]} cannot be read")
    for name in _TIMES:
        _require_time(part, name)
    if part.name == "VEVENT" and "DTSTART" not in part:
        raise _invalid("DTSTART is missing")
    _require_order(part, "DTEND" if part.name == "VEVENT" else "DUE")
    for value in durations_in(part):
        if abs(value) > LONGEST:
            raise _invalid("A duration is too long")
    require_bounded_dates(part)


def _require_time(part: Part, name: str) -> None:
    if name not in part:
        return
    value = getattr(part[name], "dt", None)
    if not isinstance(value, date):
        raise _invalid(f"{name} must stand once and be a date or a time")
    require_sane(value)
    zone = part[name].params.get("TZID")
    if zone and isinstance(value, datetime) and value.tzinfo is None:
        raise _invalid(f"The time zone of {name} is neither known nor described")


def _require_order(part: Part, last: str) -> None:
    if last not in part:
        return
    if "DURATION" in part:
        raise _invalid(f"{last} and DURATION exclude each other")
    if "DTSTART" not in part:
        return
    start, end = part["DTSTART"].dt, part[last].dt
    if is_whole_day(start) != is_whole_day(end):
        raise _invalid(f"DTSTART and {last} must both be dates or both be times")
    if moment(end) < moment(start):
        raise _invalid("It ends before it starts")
    if moment(end) - moment(start) > LONGEST:
        raise _invalid("It lasts too long")


def durations_in(part: Part) -> Iterator[timedelta]:
    """Every length of time that a component and its alarms name."""
    for holder, name in ((part, "DURATION"), *((alarm, name) for alarm in part.subcomponents
                                               for name in ("TRIGGER", "DURATION"))):
        value: Any = getattr(holder.get(name), "dt", None)
        if isinstance(value, timedelta):
            yield value


def _bad(reason: str) -> CalendarRefused:
    return refuse(Condition.CALENDAR_OBJECT, reason)


def _invalid(reason: str) -> CalendarRefused:
    return refuse(Condition.CALENDAR_DATA, reason)
