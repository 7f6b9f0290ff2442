"""Writing out the occurrences of plain entries as text: the many that apps make, ten times as fast as by objects.

Plain is one VEVENT whose times stand in Japan, in UTC or are whole days, with at most one rule and exceptions in the
same form. There clocks are never changed, so occurrences can be counted on the wall. Anything else answers ``None`` and
is done by the library; tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from server.calendars.model import Window
from server.calendars.plain_rules import plain_starts
from server.calendars.recurrence_rules import starts_of

_LINE: Final = re.compile(r"(DTSTART|DTEND|EXDATE)(?:;(TZID=Asia/Tokyo|VALUE=DATE))?:([0-9TZ,]+)")
_DAY: Final = r"(\d{4})(\d\d)(\d\d)"
_FORMS: Final = {
    "": re.compile(_DAY + r"T(\d\d)(\d\d)(\d\d)Z"), "TZID=Asia/Tokyo": re.compile(_DAY + r"T(\d\d)(\d\d)(\d\d)"),
    "VALUE=DATE": re.compile(_DAY),
}
_KEYS: Final = ("DTSTART", "DTEND", "EXDATE", "RRULE")
# What makes an entry anything but plain.
_OTHER: Final = ("RDATE", "EXRULE", "RECURRENCE-ID", "DURATION", "DUE")
_UNTIL: Final = re.compile(r"UNTIL=([0-9TZ]+)")
_JAPAN: Final = timedelta(hours=9)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a clock on a wall
_FOLDED: Final = (" ", "\t")
_KEPT: Final = 256
_SMALL: Final = 4096
_MOST: Final = 1000
_STEPS: Final = 4000


@dataclass(slots=True)
class _Plain:
    """An entry taken apart. Times are those of a wall clock in the form ``kind``; ``lines`` are all others of it."""

    head: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    kind: str = "?"
    start: datetime | None = None
    end: datetime | None = None
    rule: str = ""
    left_out: frozenset[datetime] = frozenset()

    @property
    def offset(self) -> timedelta:
        """How far the wall clock is ahead of UTC."""
        return timedelta(0) if self.kind == "" else _JAPAN


def plain_expansion(data: bytes, window: Window) -> bytes | None:
    """What ``expansion`` makes of an entry for ``C:expand``; ``None`` where the entry is not plain. CPU-bound."""
    entry = _taken_apart(data)
    if entry is None or entry.start is None:
        return None
    starts = _starts(entry, window) if entry.rule else [entry.start]
    if starts is None:
        return None
    parts = [part for start in starts for part in _written(entry, start)]
    return "\r\n".join((*entry.head, *parts, "END:VCALENDAR", "")).encode()


def plain_times(data: bytes, window: Window) -> list[tuple[int, int]] | None:
    """Start and end in ms of every occurrence in a window; ``None`` where the entry is not plain or does not recur."""
    entry = _taken_apart(data)
    if entry is None or entry.start is None or not entry.rule:
        return None
    starts = _starts(entry, window)
    if starts is None:
        return None
    zero, length = _EPOCH + entry.offset, round(_length(entry).total_seconds()) * 1000
    moments = [round((start - zero).total_seconds()) * 1000 for start in starts]
    return [(moment, moment + length) for moment in moments]


def _taken_apart(data: bytes) -> _Plain | None:
    """Small ones are kept for a while: who asks which entries a month has, asks for them next. Nobody changes them."""
    return _kept_apart(data) if len(data) <= _SMALL else _apart(data)


def _apart(data: bytes) -> _Plain | None:
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    above, _, rest = text.partition("\nBEGIN:VEVENT\n")
    body, ended, below = rest.partition("\nEND:VEVENT\n")
    if len(above) + len(below) > _SMALL or not ended:
        return None
    head = _shell(above, below)
    if head is None:
        return None
    found = _Plain(head)
    in_alarm, may_be_folded = False, True
    for line in body.split("\n"):
        if in_alarm or line.startswith("BEGIN:"):
            if line.startswith("BEGIN:") and (in_alarm or line != "BEGIN:VALARM"):
                return None
            in_alarm = line != "END:VALARM"
        elif line.startswith((*_OTHER, "END:")) or not (may_be_folded or line[:1] not in _FOLDED):
            return None
        elif line.startswith(_KEYS):
            may_be_folded = False
            if not _read(found, line):
                return None
            continue
        may_be_folded = True
        found.lines.append(line)
    return None if in_alarm else found


_kept_apart: Final = lru_cache(maxsize=_KEPT)(_apart)


@lru_cache(maxsize=64)
def _shell(above: str, below: str) -> tuple[str, ...] | None:
    """The lines around an entry but for time zones, and for the last one; an app writes the same around all of its
    entries. ``None`` where there is anything else, or a time of which it is not known what it means."""
    path: list[str] = []
    kept: list[str] = []
    for line in (*above.split("\n"), *below.split("\n")):
        if line.startswith("BEGIN:"):
            path.append(line[6:])
        if path[1:2] == ["VTIMEZONE"]:
            if line.startswith("TZID") and line != "TZID:Asia/Tokyo":
                return None
        elif path not in ([], ["VCALENDAR"]):
            return None
        elif path:
            kept.append(line)
        if line.startswith("END:") and (not path or path.pop() != line[4:]):
            return None
    return tuple(kept[:-1]) if not path and kept[-1:] == ["END:VCALENDAR"] else None


def _read(found: _Plain, line: str) -> bool:
    """Take a line about time; False where it is not plain."""
    if line.startswith("RRULE:"):
        is_first, found.rule = not found.rule, line[6:]
        return is_first
    match = _LINE.fullmatch(line)
    if match is None:
        return False
    name, kind, values = match[1], match[2] or "", match[3].split(",")
    if found.kind not in ("?", kind):
        return False
    found.kind = kind
    read = [_FORMS[kind].fullmatch(value) for value in values]
    try:
        times = [_wall_clock(*map(int, time.groups())) for time in read if time is not None]
    except ValueError:
        return False
    if len(times) < len(values):
        return False
    if name == "EXDATE":
        found.left_out |= frozenset(times)
    elif name == "DTSTART" and found.start is None:
        found.start = times[0]
    elif name == "DTEND" and found.end is None:
        found.end = times[0]
    else:
        return False
    return True


def _wall_clock(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a clock on a wall


def _starts(entry: _Plain, window: Window) -> list[datetime] | None:
    assert entry.start is not None
    assert window.start is not None
    assert window.end is not None
    rule = _on_the_wall(entry)
    if rule is None:
        return None
    length = _length(entry)
    # RFC 4791 section 9.9; times on the wall are compared, which is the same where clocks are never changed.
    first, last = _wall(entry, window.start), _wall(entry, window.end)
    found: list[datetime] = []
    number = -1
    reckoned = plain_starts(rule, entry.start, first - length)
    for number, start in enumerate(reckoned or starts_of(rule, entry.start)):
        if number == 0 and reckoned is None and start != entry.start:
            return None  # a start that does not obey its own rule
        if start >= last:
            break
        if number > _STEPS or len(found) > _MOST:
            return None
        if (start + length > first or (not length and start >= first)) and start not in entry.left_out:
            found.append(start)
    return found if number >= 0 or reckoned is not None else None


def _on_the_wall(entry: _Plain) -> str | None:
    """The rule with its UNTIL as the same clock shows it; ``None`` where that is of another form than the start."""
    until = _UNTIL.search(entry.rule)
    if until is None:
        return entry.rule
    is_day = len(until[1]) == 8
    if is_day is not (entry.kind == "VALUE=DATE") or not (is_day or until[1].endswith("Z")):
        return None
    if is_day:
        return entry.rule
    try:
        moment = datetime.strptime(until[1], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - a clock on a wall
    except ValueError:
        return None
    return entry.rule.replace(until[0], f"UNTIL={moment + entry.offset:%Y%m%dT%H%M%S}")


def _wall(entry: _Plain, ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms) + entry.offset


def _length(entry: _Plain) -> timedelta:
    assert entry.start is not None
    if entry.end is None:
        return timedelta(days=1) if entry.kind == "VALUE=DATE" else timedelta(0)
    return entry.end - entry.start


def _written(entry: _Plain, start: datetime) -> Iterator[str]:
    assert entry.start is not None
    yield "BEGIN:VEVENT"
    yield f"DTSTART{_value(entry, start)}"
    if entry.end is not None or entry.rule:
        yield f"DTEND{_value(entry, start + _length(entry))}"
    if entry.rule:
        yield f"RECURRENCE-ID{_value(entry, start)}"
    yield from entry.lines
    yield "END:VEVENT"


def _value(entry: _Plain, wall: datetime) -> str:
    if entry.kind == "VALUE=DATE":
        return f";VALUE=DATE:{wall:%Y%m%d}"
    return f":{wall - entry.offset:%Y%m%dT%H%M%SZ}"
