"""A calendar in Japan is right wherever the process thinks that it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from server.calendars.calendar_object import read_object
from server.calendars.filters import CompFilter
from server.calendars.model import Item, Window
from server.calendars.querying import YearSpans, select
from tests.server.calendars.entries import TOKYO, as_item, entry, times_of, window


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def process_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The zone that the operating system tells the process."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def month(number: int) -> Window:
    start = datetime(2026, number, 1, tzinfo=TOKYO)
    return window(start, (start + timedelta(days=31)).replace(day=1))


async def names_in(items: Sequence[Item], wanted: Window, years: YearSpans) -> list[str]:
    query = CompFilter("VCALENDAR", comps=(CompFilter("VEVENT", window=wanted),))
    return [item.head.name for item in await select(items, query, "VEVENT", years)]


def year_of_entries() -> tuple[dict[str, bytes], dict[int, set[str]]]:
    """Entries at the edges of every month of 2026, and which of them each month holds."""
    entries: dict[str, bytes] = {}
    truth: dict[int, set[str]] = {number: set() for number in range(1, 13)}

    def add(name: str, months: set[int], *lines: str, overrides: tuple[tuple[str, ...], ...] = ()) -> None:
        entries[name] = entry(name, *lines, overrides=overrides)
        for number in months:
            truth[number].add(name)

    for number in range(1, 13):
        last = (datetime(2026, number, 28, tzinfo=TOKYO) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        day = f"{last:%Y%m%d}"
        add(f"late-{number}", {number}, f"DTSTART;TZID=Asia/Tokyo:{day}T230000", f"DTEND;TZID=Asia/Tokyo:{day}T235959")
        add(f"early-{number}", {number}, f"DTSTART;TZID=Asia/Tokyo:2026{number:02}01T000000", "DURATION:PT1H")
        add(f"moment-{number}", {number}, f"DTSTART;TZID=Asia/Tokyo:2026{number:02}01T000000")
        add(f"day-{number}", {number}, f"DTSTART;VALUE=DATE:{day}")
        add(f"floating-{number}", {number}, f"DTSTART:{day}T233000", "DURATION:PT30M")
        add(f"utc-{number}", {number}, f"DTSTART:{day}T140000Z", "DURATION:PT1H")
        add(f"over-{number}", {number, number + 1} - {13}, f"DTSTART;TZID=Asia/Tokyo:{day}T233000", "DURATION:PT1H")
    add("garbage", set(range(1, 13)) - {8}, "DTSTART;TZID=Asia/Tokyo:20260131T233000", "DURATION:PT15M",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1", "EXDATE;TZID=Asia/Tokyo:20260831T233000")
    truth[1].discard("garbage")
    truth[1].add("garbage")
    add("moved", {1, 2, 4, 5}, "DTSTART;VALUE=DATE:20260131", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260430",
        overrides=(("RECURRENCE-ID;VALUE=DATE:20260331", "DTSTART;VALUE=DATE:20260501"),))
    add("floating-series", set(range(1, 13)), "DTSTART:20260101T000000", "DURATION:PT10M",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=1")
    return entries, truth


async def test_every_month_holds_what_happens_in_it_in_japan(process_zone: str) -> None:
    entries, truth = year_of_entries()
    items, years = [as_item(name, data) for name, data in entries.items()], YearSpans()
    for turn in range(20):  # the later answers come from what was kept
        for number in range(1, 13):
            assert set(await names_in(items, month(number), years)) == truth[number], (turn, number)


def test_occurrences_do_not_depend_on_the_zone_of_the_process(process_zone: str) -> None:
    thing = read_object(entry("x", "DTSTART:20260101T000000", "DTEND:20260101T010000", "RRULE:FREQ=DAILY;COUNT=2"))
    found = times_of(thing, month(1))
    assert [start.isoformat() for start, _ in found] == ["2025-12-31T15:00:00+00:00", "2026-01-01T15:00:00+00:00"]


def test_summer_time_elsewhere_is_kept(process_zone: str) -> None:
    thing = read_object(entry("x", "DTSTART;TZID=America/New_York:20260228T090000", "DURATION:PT1H",
                              "RRULE:FREQ=MONTHLY;COUNT=3"))
    wanted = window(datetime(2026, 1, 1, tzinfo=TOKYO), datetime(2027, 1, 1, tzinfo=TOKYO))
    assert [start.hour for start, _ in times_of(thing, wanted)] == [14, 13, 13]
