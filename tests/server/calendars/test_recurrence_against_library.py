"""Queries against recurring-ical-events over random objects: the shortcuts must not change an answer."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from server.calendars.calendar_object import CalendarObject, open_object, read_object
from server.calendars.expansion import _expanded
from server.calendars.filters import CompFilter, matches
from server.calendars.model import Window
from server.calendars.occurrences import occurrences, span_of
from server.calendars.plain_expansion import plain_expansion, plain_times
from server.calendars.querying import YearSpans, select, window_of
from server.calendars.refusals import CalendarRefused
from tests.server.calendars.entries import as_item, entry, expected_occurrences, ms, times_of, window

# The whole of issue 6 is 10,000.
EXAMPLES = int(os.environ.get("KAIRAN_CALENDAR_OBJECTS", "250"))
_FORMS = {
    "tokyo": (";TZID=Asia/Tokyo:", "%Y%m%dT%H%M%S"),
    "new_york": (";TZID=America/New_York:", "%Y%m%dT%H%M%S"),
    "utc": (":", "%Y%m%dT%H%M%SZ"),
    "floating": (":", "%Y%m%dT%H%M%S"),
    "day": (";VALUE=DATE:", "%Y%m%d"),
}
_FIRST, _LAST = datetime.fromisoformat("2023-01-01"), datetime.fromisoformat("2027-12-31")
_MOMENTS = st.datetimes(_FIRST, _LAST).map(
    lambda value: value.replace(minute=value.minute // 15 * 15, second=0, microsecond=0))
_DAYS = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> str:
    parts = [f"FREQ={draw(st.sampled_from(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']))}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    match draw(st.integers(0, 4)):
        case 1:
            parts.append("BYDAY=" + ",".join(draw(_DAYS)))
        case 2:
            parts.append(f"BYMONTHDAY={draw(st.sampled_from([1, 15, 28, 31, -1]))}")
        case 3 if "YEARLY" in parts[0] or "MONTHLY" in parts[0]:
            parts.append(f"BYMONTH={draw(st.integers(1, 12))}")
            parts.append(f"BYDAY={draw(st.sampled_from(['1SU', '2MO', '-1FR']))}")
    match draw(st.integers(0, 2)):
        case 1:
            parts.append(f"COUNT={draw(st.integers(1, 30))}")
        case 2:
            parts.append("UNTIL={until}")
    return ";".join(parts)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    form, pattern = _FORMS[draw(st.sampled_from(sorted(_FORMS)))]
    start = draw(_MOMENTS)
    lines = [f"DTSTART{form}{start.strftime(pattern)}"]
    if "DATE" in form:
        length = timedelta(days=draw(st.integers(1, 3)))
    else:
        length = timedelta(minutes=draw(st.sampled_from([0, 15, 60, 600, 2000])))
    lines.append(f"DTEND{form}{(start + length).strftime(pattern)}")
    overrides: tuple[tuple[str, ...], ...] = ()
    if draw(st.integers(0, 4)):
        until = (start + timedelta(days=draw(st.integers(1, 900)))).strftime(
            "%Y%m%d" if "DATE" in form else pattern if form == ":" else "%Y%m%dT%H%M%SZ")
        lines.append("RRULE:" + draw(rules()).replace("{until}", until))
        if draw(st.booleans()):
            left_out = start + timedelta(days=7 * draw(st.integers(0, 3)))
            lines.append(f"EXDATE{form}{left_out.strftime(pattern)}")
        if draw(st.booleans()):
            original = start + timedelta(days=7 * draw(st.integers(0, 3)))
            moved = original + timedelta(days=draw(st.integers(-40, 40)))
            overrides = ((f"RECURRENCE-ID{form}{original.strftime(pattern)}",
                          f"DTSTART{form}{moved.strftime(pattern)}",
                          f"DTEND{form}{(moved + length).strftime(pattern)}"),)
    if draw(st.integers(0, 5)) == 0:
        extra = start + timedelta(days=draw(st.integers(1, 100)))
        lines.append(f"RDATE{form}{extra.strftime(pattern)}")
    return entry("x", *lines, overrides=overrides)


windows: Any = st.tuples(_MOMENTS, st.integers(1, 100)).map(
    lambda pair: (pair[0].replace(tzinfo=UTC), pair[0].replace(tzinfo=UTC) + timedelta(days=pair[1] / 3)))


def _read(data: bytes) -> CalendarObject | None:
    """The object, unless its random rule never comes true."""
    try:
        return read_object(data)
    except CalendarRefused as refusal:
        if "RRULE" not in refusal.reason:
            raise
        return None


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(objects(), st.lists(windows, min_size=1, max_size=4))
async def test_a_window_finds_exactly_what_the_library_finds(
    data: bytes, asked: list[tuple[datetime, datetime]]
) -> None:
    thing = _read(data)
    if thing is None:
        return
    item, years = as_item("x", data), YearSpans()
    for start, end in asked:
        wanted = window(start, end)
        truth = expected_occurrences(data, start, end)
        query = CompFilter("VCALENDAR", comps=(CompFilter("VEVENT", window=wanted),))
        assert bool(await select([item], query, "VEVENT", years)) == bool(truth)
        assert matches(open_object(data), item.head.span, query) == bool(truth)
        if truth:
            assert window_of(query, "VEVENT").may_meet(item.head.span)
        if thing.recurs:
            assert times_of(thing, wanted) == truth


@example(entry("x", "DTSTART;VALUE=DATE:20230101", "DTEND;VALUE=DATE:20230102", "RRULE:FREQ=DAILY;COUNT=1",
               "RDATE;VALUE=DATE:20230105"), datetime.fromisoformat("2023-01-01T15:00"))
@settings(max_examples=max(EXAMPLES * 2 // 5, 1), deadline=None, suppress_health_check=list(HealthCheck))
@given(objects(), _MOMENTS)
def test_an_open_window_finds_what_is_still_to_come(data: bytes, since: datetime) -> None:
    thing = _read(data)
    if thing is None:
        return
    start = since.replace(tzinfo=UTC)
    truth = expected_occurrences(data, start, datetime(2036, 1, 1, tzinfo=UTC))
    query = CompFilter("VCALENDAR", comps=(CompFilter("VEVENT", window=Window(start=ms(start))),))
    found = matches(thing, span_of(thing), query)
    # After 2036 nothing is compared, so the answer may only be a yes where the truth is a no if it recurs for ever.
    assert found == bool(truth) or (found and thing.recurs and span_of(thing).end is None)


def _told(data: bytes) -> list[Any]:
    """The components of an answer without the order of their lines."""
    return sorted(
        (part.name, sorted((name, str(getattr(value, "dt", value)), getattr(value, "params", {}).get("VALUE", ""))
                           for name, value in part.property_items(recursive=True)))
        for part in Calendar.from_ical(data).subcomponents
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(objects(), windows)
def test_what_is_written_out_as_text_is_what_the_library_writes_out(
    data: bytes, asked: tuple[datetime, datetime]
) -> None:
    thing = _read(data)
    wanted = window(*asked)
    if thing is None:
        return
    data = data.replace(b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT")
    plain = plain_expansion(data, wanted)
    slow = _expanded(open_object(data), wanted).to_ical()
    assert plain is None or _told(plain) == _told(slow)
    times = plain_times(data, wanted)
    assert times is None or sorted(times) == [(item.start, item.end) for item in occurrences(thing, wanted)]


@pytest.mark.parametrize("lines", [
    ("DTSTART;TZID=Asia/Tokyo:20230101T100000", "DTEND;TZID=Asia/Tokyo:20230101T110000", "RRULE:FREQ=WEEKLY"),
    ("DTSTART:20230101T100000Z", "RRULE:FREQ=DAILY;UNTIL=20240101T000000Z"), ("DTSTART;VALUE=DATE:20230101",),
])
def test_the_many_that_apps_make_are_plain(lines: tuple[str, ...]) -> None:
    wanted = window(datetime(2023, 6, 1, tzinfo=UTC), datetime(2023, 7, 1, tzinfo=UTC))
    assert plain_expansion(entry("x", *lines), wanted) is not None


@pytest.mark.parametrize("lines", [
    ("DTSTART:20230101T100000", "RRULE:FREQ=DAILY"), ("DTSTART;TZID=America/New_York:20230101T100000",),
    ("DTSTART:20230101T100000Z", "DURATION:PT1H"), ("DTSTART:20230101T100000Z", "RDATE:20230102T100000Z"),
    ("DTSTART:20230101T100000Z", "RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20230103"),
    ("DTSTART:20230101T100000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO"),
    ("DTSTART:20230101T100000Z", "RRULE:FREQ=DAILY;UNTIL=20230201"), ("SUMMARY:x",),
    ("DTSTART:20230101T100000Z", "RECURRENCE-ID:20230101T100000Z"), ("DTSTART:20230101T1000", " 00Z"),
])
def test_what_is_not_plain_is_left_to_the_library(lines: tuple[str, ...]) -> None:
    wanted = window(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 7, 1, tzinfo=UTC))
    assert plain_expansion(entry("x", *lines), wanted) is None
