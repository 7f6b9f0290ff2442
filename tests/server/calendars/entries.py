"""Entries of all kinds for tests, and what a window of time means, worked out without the code under test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from server.calendars.calendar_object import CalendarObject, read_object
from server.calendars.model import Item, ItemHead, Window
from server.calendars.occurrences import occurrences, span_of

TOKYO = ZoneInfo("Asia/Tokyo")


def entry(uid: str, *lines: str, overrides: tuple[tuple[str, ...], ...] = ()) -> bytes:
    """One VEVENT with its overrides."""
    parts = "".join(
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{''.join(line + chr(13) + chr(10) for line in part)}"
        "END:VEVENT\r\n" for part in (lines, *overrides)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{parts}END:VCALENDAR\r\n".encode()


def as_item(name: str, data: bytes) -> Item:
    """As a backend would give it."""
    thing = read_object(data)
    return Item(ItemHead(name, thing.etag, thing.uid, len(data), 0, 1, span_of(thing)), data)


def ms(moment: datetime) -> int:
    return round(moment.timestamp()) * 1000


def window(start: datetime, end: datetime) -> Window:
    return Window(ms(start), ms(end))


def in_japan(value: date | datetime) -> datetime:
    """A calendar value as somebody in Japan reads it."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=TOKYO)
    return value if value.tzinfo else value.replace(tzinfo=TOKYO)


def expected_occurrences(data: bytes, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """All occurrences that overlap, by asking the library for years around and looking at each by itself."""
    margin = timedelta(days=400)
    found: list[Any] = recurring_ical_events.of(Calendar.from_ical(data)).between(start - margin, end + margin)
    times = []
    for part in found:
        begins, ends = in_japan(part["DTSTART"].dt), in_japan(part["DTEND"].dt)
        if (begins == ends and start <= begins < end) or (begins != ends and begins < end and ends > start):
            times.append((begins.astimezone(UTC), ends.astimezone(UTC)))
    return sorted(times)


def times_of(thing: CalendarObject, wanted: Window) -> list[tuple[datetime, datetime]]:
    """What the code under test finds, in the same form."""
    from_epoch = [
        (datetime.fromtimestamp(item.start / 1000, UTC), datetime.fromtimestamp(item.end / 1000, UTC))
        for item in occurrences(thing, wanted)
    ]
    return sorted(from_epoch)
