"""What of an object a report wants back: occurrences written out, or fewer parts of it (RFC 4791 section 9.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from icalendar import Calendar, vDatetime, vDDDTypes

from server.calendars.calendar_object import CalendarObject, open_object
from server.calendars.model import Window
from server.calendars.occurrences import occurrences, own_times
from server.calendars.plain_expansion import plain_expansion
from server.calendars.reading import Part
from server.calendars.times import is_whole_day, moment

_RECURRENCE: Final = ("RRULE", "RDATE", "EXDATE", "EXRULE")
_MOMENTS: Final = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True)
class CompSelection:
    """``C:comp`` below ``C:calendar-data``. ``None`` is all; a property maps to whether its value is wanted."""

    name: str
    props: tuple[tuple[str, bool], ...] | None = None
    comps: tuple[CompSelection, ...] | None = None


@dataclass(frozen=True, slots=True)
class DataRequest:
    """``C:calendar-data`` in a request."""

    expand: Window | None = None
    limit_recurrence: Window | None = None
    selection: CompSelection | None = None

    @property
    def as_stored(self) -> bool:
        """Whether the stored bytes are the answer."""
        return self.expand is None and self.limit_recurrence is None and self.selection is None


def answer_data(data: bytes, request: DataRequest) -> bytes:
    """The object's bytes as ``request`` wants them; CPU-bound."""
    if request.as_stored:
        return data
    if request.expand is not None and request.selection is None:
        plain = plain_expansion(data, request.expand)
        if plain is not None:
            return plain
    calendar = _in_time(open_object(data), request)
    if request.selection is not None:
        calendar = _selected(calendar, request.selection)
    out: bytes = calendar.to_ical()
    return out


def _in_time(thing: CalendarObject, request: DataRequest) -> Part:
    if request.expand is not None:
        return _expanded(thing, request.expand)
    if request.limit_recurrence is not None:
        return _limited(thing, request.limit_recurrence)
    return thing.calendar


def _expanded(thing: CalendarObject, window: Window) -> Part:
    """Section 9.6.5: every occurrence by itself, in UTC, no zones and no rules."""
    if thing.recurs and own_times(thing.parts[0]) is not None:
        parts = [item.source.as_component(False) for item in occurrences(thing, window)]
        for part in parts:
            if "RECURRENCE-ID" not in part:
                part["RECURRENCE-ID"] = vDDDTypes(part["DTSTART"].dt)
    else:
        parts = [part.copy(recursive=True) for part in thing.parts]
    for part in parts:
        _make_plain(part)
    return _shell(thing.calendar, parts)


def _make_plain(part: Part) -> None:
    for name in _RECURRENCE:
        part.pop(name, None)
    for name in _MOMENTS:
        if name in part:
            part[name] = _in_utc(part[name].dt)


def _in_utc(value: date | datetime) -> Any:
    """A zoned time in UTC; days and floating times stay what they are."""
    if is_whole_day(value) or (isinstance(value, datetime) and value.tzinfo is None):
        plain = vDDDTypes(value)
        if is_whole_day(value):
            plain.params["VALUE"] = "DATE"
        return plain
    return vDatetime(moment(value).astimezone(UTC))


def _limited(thing: CalendarObject, window: Window) -> Part:
    """Section 9.6.6: the master, and only the overrides that touch the window."""
    kept = [part for part in thing.calendar.subcomponents
            if part.name == "VTIMEZONE" or "RECURRENCE-ID" not in part or _touches(part, window)]
    return _shell(thing.calendar, kept)


def _touches(part: Part, window: Window) -> bool:
    times = own_times(part)
    original = moment(part["RECURRENCE-ID"].dt).timestamp() * 1000
    return times is None or window.meets(*times) or window.meets(int(original), int(original))


def _shell(calendar: Part, parts: list[Part]) -> Part:
    shell = Calendar()
    for name, value in calendar.items():
        shell[name] = value
    shell.subcomponents = parts
    return shell


def _selected(part: Part, wanted: CompSelection) -> Part:
    """Sections 9.6.1 to 9.6.4."""
    kept = type(part)()
    kept.name = part.name
    shown = None if wanted.props is None else dict(wanted.props)
    for name, value in part.items():
        if shown is None or shown.get(name.upper(), False):
            kept[name] = value
        elif name.upper() in shown:
            kept.add(name, "", encode=False)
    inner = None if wanted.comps is None else {comp.name: comp for comp in wanted.comps}
    for sub in part.subcomponents:
        if inner is None:
            kept.subcomponents.append(sub)
        elif sub.name in inner:
            kept.subcomponents.append(_selected(sub, inner[sub.name]))
    return kept
