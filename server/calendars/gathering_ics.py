"""A gathering as iCalendar, and an officer's iCalendar as a gathering."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from server.calendars.calendar_object import CalendarObject
from server.calendars.ports import Gathering, GatheringDraft
from server.calendars.reading import Part
from server.calendars.recurrence_rules import dates_listed, rule_texts
from server.calendars.refusals import Condition, refuse
from server.calendars.times import from_ms, is_whole_day, moment
from server.foundation.clock import TOKYO

# One offset, no summer time: what every app can read.
TOKYO_ZONE: Final = (
    "BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nTZNAME:JST\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
_HEAD: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Kairan//Gatherings//JA\r\n"
_MAX_TEXT: Final = 20_000


def render_gathering(gathering: Gathering) -> bytes:
    """The object that calendar apps get; the same gathering always gives the same bytes."""
    draft = gathering.draft
    lines = [
        "BEGIN:VEVENT", f"UID:{escaped(draft.uid)}", f"DTSTAMP:{_stamp(gathering.changed_ms)}",
        f"CREATED:{_stamp(gathering.created_ms)}", f"LAST-MODIFIED:{_stamp(gathering.changed_ms)}",
        f"SEQUENCE:{gathering.sequence}", f"DTSTART{_value(draft.start)}", f"DTEND{_value(draft.end)}",
        f"SUMMARY:{escaped(draft.title)}",
        *([f"LOCATION:{escaped(draft.place)}"] if draft.place else []),
        *([f"DESCRIPTION:{escaped(draft.description)}"] if draft.description else []),
        *([f"URL:{gathering.url}"] if gathering.url else []),
        *([f"RRULE:{draft.rule}"] if draft.rule else []),
        *[f"EXDATE{_value(left_out)}" for left_out in draft.except_for],
        f"STATUS:{'CANCELLED' if draft.cancelled else 'CONFIRMED'}", "END:VEVENT",
    ]
    body = "".join(folded(line) for line in lines)
    return (_HEAD + TOKYO_ZONE + body + "END:VCALENDAR\r\n").encode()


def read_gathering(thing: CalendarObject) -> GatheringDraft:
    """What the officer's app means; refuses what a gathering cannot be."""
    if thing.component != "VEVENT":
        raise refuse(Condition.SUPPORTED_COMPONENT, "A gathering is an appointment, not a task")
    if thing.master is None or len(thing.parts) > 1:
        raise refuse(Condition.CALENDAR_OBJECT, "Single occurrences of a gathering cannot be changed; leave the date "
                                                "out and make a gathering of its own for it")
    part = thing.master
    if any(True for _ in dates_listed(part, "RDATE")):
        raise refuse(Condition.CALENDAR_OBJECT, "A gathering has no list of extra dates; make one for each")
    start, end = _times(part)
    return GatheringDraft(
        uid=thing.uid, title=_text(part, "SUMMARY") or "集まり", start=start, end=end, place=_text(part, "LOCATION"),
        description=_text(part, "DESCRIPTION"), cancelled=_text(part, "STATUS").upper() == "CANCELLED",
        rule="".join(rule_texts([part])), except_for=tuple(_plain(value) for value in dates_listed(part, "EXDATE")),
    )


def _times(part: Part) -> tuple[date | datetime, date | datetime]:
    start = part["DTSTART"].dt
    if "DTEND" in part:
        end = part["DTEND"].dt
    elif "DURATION" in part:
        end = start + part["DURATION"].dt
    else:
        end = start + timedelta(days=1) if is_whole_day(start) else start
    return _plain(start), _plain(end)


def _plain(value: date | datetime) -> date | datetime:
    return value if is_whole_day(value) else moment(value).astimezone(TOKYO)


def _text(part: Part, name: str) -> str:
    value: Any = part.get(name)
    if isinstance(value, list):
        value = value[0]
    return str(value if value is not None else "")[:_MAX_TEXT]


def _value(value: date | datetime) -> str:
    if is_whole_day(value):
        return f";VALUE=DATE:{value:%Y%m%d}"
    return f";TZID=Asia/Tokyo:{moment(value).astimezone(TOKYO):%Y%m%dT%H%M%S}"


def _stamp(ms: int) -> str:
    return f"{from_ms(ms).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """RFC 5545 section 3.3.11; other control characters have no place in a calendar."""
    kept = "".join(letter for letter in text.replace("\r\n", "\n") if letter in "\n\t" or letter >= " ")
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> str:
    """RFC 5545 section 3.1: at most 75 bytes a line, no character torn apart."""
    pieces, piece, room = [], "", 75
    for letter in line:
        size = len(letter.encode())
        if size > room:
            pieces.append(piece)
            piece, room = "", 74
        piece += letter
        room -= size
    return "\r\n ".join([*pieces, piece]) + "\r\n"
