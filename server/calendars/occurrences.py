"""When an object takes place. recurring-ical-events finds the occurrences; which of them count is decided here.

The library compares floating times and whole days in the zone of the question. We ask it with a margin of more than a
day on both sides and decide each case ourselves, in Asia/Tokyo.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

import recurring_ical_events

from server.calendars.calendar_object import CalendarObject
from server.calendars.model import Span, Window
from server.calendars.reading import Part
from server.calendars.recurrence_rules import dates_listed, length_of, starts_of, values_of
from server.calendars.refusals import CalendarRefused, Condition, refuse
from server.calendars.times import from_ms, is_whole_day, moment, to_ms
from server.foundation.clock import FIRST_YEAR, LAST_YEAR

logger = logging.getLogger(__name__)

MAX_INSTANCES: Final = 3000
DAY_MS: Final = 86_400_000
_YEAR_MS: Final = 366 * DAY_MS
_MARGIN: Final = timedelta(days=2)
_EARLIEST_MS: Final = (FIRST_YEAR - 1970) * _YEAR_MS
_LATEST_MS: Final = (LAST_YEAR - 1970 + 1) * 365 * DAY_MS
# A rule that is written so that it comes true once in a generation is looked at for this many years.
_MAX_CHUNKS: Final = 40
_CHEAP_COUNT: Final = 1000


class Occurrence(NamedTuple):
    """One occurrence from ``start`` to ``end`` (ms), and what the library knows of it."""

    start: int
    end: int
    source: Any


def occurrences(thing: CalendarObject, window: Window) -> list[Occurrence]:
    """All occurrences of a recurring object in a window that is closed on both sides, in order; ≤ MAX_INSTANCES."""
    found = sorted(islice(_walk(_series(thing), window), MAX_INSTANCES + 1), key=lambda item: item.start)
    if len(found) > MAX_INSTANCES:
        raise refuse(Condition.WITHIN_LIMITS, "Too many occurrences in that time; ask for less", status=507)
    return found


def _series(thing: CalendarObject) -> list[Any]:
    found: list[Any] = recurring_ical_events.of(thing.calendar, components=[thing.component]).series
    return found


def _walk(all_series: list[Any], window: Window) -> Iterator[Occurrence]:
    assert window.start is not None
    assert window.end is not None
    first = from_ms(max(window.start, _EARLIEST_MS)) - _MARGIN
    last = from_ms(min(max(window.end, window.start), _LATEST_MS)) + _MARGIN
    for series in all_series:
        for source in series.between(first, last):
            start, end = to_ms(source.start), to_ms(source.end)
            if window.meets(start, end):
                yield Occurrence(start, end, source)


def happens_in(thing: CalendarObject, window: Window, span: Span) -> bool:
    """Whether any occurrence of a recurring object overlaps ``window``, which may be open on either side."""
    start = max(item for item in (window.start, span.start, _EARLIEST_MS) if item is not None)
    end = min(item for item in (window.end, None if span.end is None else span.end + 1, _LATEST_MS) if item is not None)
    all_series = _series(thing)
    for _ in range(_MAX_CHUNKS):
        if start >= end:
            return False
        stop = min(start + _YEAR_MS, end)
        if next(_walk(all_series, Window(start, stop)), None) is not None:
            return True
        start = stop
    return False


def span_of(thing: CalendarObject) -> Span:
    """First start and last end of all that the object holds; rather too wide than too narrow."""
    spans = [_own_span(part) for part in thing.parts]
    exact = thing.component == "VEVENT" and not thing.recurs
    starts = [start for start, _ in spans if start is not None]
    ends = [end for _, end in spans if end is not None]
    start = min(starts) if len(starts) == len(spans) else None
    end = max(ends) if len(ends) == len(spans) else None
    return Span(start, end, exact)


def own_times(part: Part) -> tuple[int, int] | None:
    """Start and end (ms) of one component by itself; ``None`` if it has neither DTSTART nor DUE."""
    last = "DTEND" if part.name == "VEVENT" else "DUE"
    anchor = part.get("DTSTART") or part.get(last)
    if anchor is None:
        return None
    start = to_ms(anchor.dt)
    if last in part:
        return start, to_ms(part[last].dt)
    if "DURATION" in part:
        return start, start + round(part["DURATION"].dt.total_seconds()) * 1000
    # A whole day without an end is that day; a VTODO's start alone is a moment.
    lasts_a_day = is_whole_day(anchor.dt) and part.name != "VTODO"
    return start, start + (DAY_MS if lasts_a_day else 0)


def _own_span(part: Part) -> tuple[int | None, int | None]:
    times = own_times(part)
    if times is None:
        return None, None
    start, end = min(times), max(times)
    length = end - start
    listed = [to_ms(value[0] if isinstance(value, tuple) else value) for value in dates_listed(part, "RDATE")]
    first, last = min([start, *listed]), max([start, *listed]) + max(length, _longest_listed(part))
    if "RANGE" in getattr(part.get("RECURRENCE-ID"), "params", {}):
        return first, None
    for rule in values_of(part, "RRULE"):
        if "UNTIL" not in rule:
            counted = _end_by_count(part, rule, length)
            return first, None if counted is None else max(last, counted)
        # The last start may lie up to a day after UNTIL where UNTIL is a date or floats.
        last = max(last, to_ms(rule["UNTIL"][0]) + length + 2 * DAY_MS)
    return first, last


def _end_by_count(part: Part, rule: Any, length: int) -> int | None:
    """When the last of a counted series ends, where counting is cheap."""
    if "COUNT" not in rule or int(rule["COUNT"][0]) > _CHEAP_COUNT:
        return None
    start = (part.get("DTSTART") or part["DUE"]).dt
    begin = moment(start).replace(tzinfo=None)
    starts = list(starts_of(rule.to_ical().decode(), begin))
    # Counted on the clock of the entry's own zone, so a day off at most.
    return to_ms(starts[-1] if starts else begin) + length + 2 * DAY_MS


def _longest_listed(part: Part) -> int:
    """The longest period of an RDATE, in ms."""
    lengths = [length_of(value) for value in dates_listed(part, "RDATE") if isinstance(value, tuple)]
    return round(max(lengths, default=timedelta(0)).total_seconds() * 1000)


def require_expandable(thing: CalendarObject, span: Span) -> None:
    """Refuse a series that the library cannot walk, so that no report ever meets it; looks at its first year."""
    if not thing.recurs or span.start is None:
        return
    try:
        occurrences(thing, Window(span.start, span.start + _YEAR_MS))
    except CalendarRefused:
        raise refuse(Condition.MAX_INSTANCES, "The entry recurs too often") from None
    except Exception as fault:
        logger.info("a series cannot be walked: %s", type(fault).__name__)
        raise refuse(Condition.CALENDAR_DATA, "The recurrence of the entry makes no sense") from None
