"""When somebody has no time (RFC 4791 section 7.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.calendars.calendar_object import CalendarObject, open_object
from server.calendars.gathering_ics import escaped, folded
from server.calendars.model import Item, Window
from server.calendars.occurrences import occurrences, own_times
from server.calendars.reading import Part
from server.calendars.recurrence_rules import values_of
from server.calendars.times import from_ms, utc_text


def free_busy(items: Iterable[Item], window: Window, now_ms: int) -> bytes:
    """A VFREEBUSY of a bounded window; busy times that touch are joined. CPU-bound."""
    assert window.start is not None
    assert window.end is not None
    busy: list[tuple[int, int, str]] = []
    for item in items:
        busy += _busy_times(open_object(item.data), window)
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kairan//CalDAV//JA", "BEGIN:VFREEBUSY",
        f"DTSTAMP:{utc_text(from_ms(now_ms))}", f"DTSTART:{utc_text(from_ms(window.start))}",
        f"DTEND:{utc_text(from_ms(window.end))}", *_lines(busy), "END:VFREEBUSY", "END:VCALENDAR", "",
    ]
    return "\r\n".join(lines).encode()


def reply(
    items: Iterable[Item], window: Window, now_ms: int, uid: str, organizer: str, attendee: str
) -> bytes:
    """The same as an answer to somebody who asked (RFC 5546 section 3.3.3). CPU-bound."""
    who = (f"UID:{escaped(uid)}", f"ORGANIZER:{_plain(organizer)}", f"ATTENDEE:{_plain(attendee)}")
    lines = "".join(folded(line) for line in who)
    text = free_busy(items, window, now_ms).decode()
    text = text.replace("BEGIN:VFREEBUSY\r\n", f"METHOD:REPLY\r\nBEGIN:VFREEBUSY\r\n{lines}", 1)
    return text.encode()


def _plain(address: str) -> str:
    return "".join(letter for letter in address if letter.isprintable())


def _busy_times(thing: CalendarObject, window: Window) -> Iterator[tuple[int, int, str]]:
    if thing.component != "VEVENT":
        return
    for part, start, end in _each(thing, window):
        kind = _kind(part)
        if kind and end > start and window.meets(start, end):
            yield max(start, window.start or start), min(end, window.end or end), kind


def _each(thing: CalendarObject, window: Window) -> Iterator[tuple[Part, int, int]]:
    if thing.recurs:
        for item in occurrences(thing, window):
            yield item.source.as_component(False), item.start, item.end
        return
    times = own_times(thing.parts[0])
    if times is not None:
        yield thing.parts[0], *times


def _kind(part: Part) -> str:
    status = str(part.get("STATUS", "")).upper()
    if str(part.get("TRANSP", "OPAQUE")).upper() == "TRANSPARENT" or status == "CANCELLED":
        return ""
    answers = [str(item.params.get("PARTSTAT", "")).upper() for item in values_of(part, "ATTENDEE")
               if hasattr(item, "params")]
    if "ORGANIZER" in part and len(answers) == 1:  # one's own copy of an invitation
        return {"ACCEPTED": "BUSY", "DECLINED": ""}.get(answers[0], "BUSY-TENTATIVE")
    return "BUSY-TENTATIVE" if status == "TENTATIVE" else "BUSY"


def _lines(busy: list[tuple[int, int, str]]) -> Iterator[str]:
    for kind in ("BUSY", "BUSY-TENTATIVE"):
        label = "FREEBUSY" if kind == "BUSY" else f"FREEBUSY;FBTYPE={kind}"
        for start, end in _joined(sorted((start, end) for start, end, which in busy if which == kind)):
            yield f"{label}:{utc_text(from_ms(start))}/{utc_text(from_ms(end))}"


def _joined(times: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in times:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
