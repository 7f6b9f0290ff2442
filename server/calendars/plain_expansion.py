"""Writing out the occurrences of plain entries as text: the many that apps make, ten times as fast as by objects.

Plain is one VEVENT whose times stand in Japan, in UTC or are whole days, with at most one rule and exceptions in the
same form. There clocks are never changed, so occurrences can be counted on the wall. Anything else answers ``None`` and
is done by the library; tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from server.calendars.model import Window
from server.calendars.recurrence_rules import starts_of

_LINE: Final = re.compile(r"(DTSTART|DTEND|EXDATE)(?:;(TZID=Asia/Tokyo|VALUE=DATE))?:([0-9TZ,]+)")
_FORMS: Final = {"": ("%Y%m%dT%H%M%SZ", 16), "TZID=Asia/Tokyo": ("%Y%m%dT%H%M%S", 15), "VALUE=DATE": ("%Y%m%d", 8)}
_KEYS: Final = ("DTSTART", "DTEND", "EXDATE", "RRULE")
# What makes an entry anything but plain.
_OTHER: Final = ("RDATE", "EXRULE", "RECURRENCE-ID", "DURATION", "DUE")
_UNTIL: Final = re.compile(r"UNTIL=([0-9TZ]+)")
_JAPAN: Final = timedelta(hours=9)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a clock on a wall
_MOST: Final = 1000
_STEPS: Final = 4000


@dataclass(slots=True)
class _Plain:
    """An entry taken apart. Times are those of a wall clock in the form ``kind``; ``lines`` are all others of it."""

    head: list[str]
    lines: list[str]
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
    entry = _taken_apart(data.decode("utf-8", "replace"))
    if entry is None or entry.start is None:
        return None
    starts = _starts(entry, window) if entry.rule else [entry.start]
    if starts is None:
        return None
    parts = [part for start in starts for part in _written(entry, start)]
    return "\r\n".join((*entry.head, *parts, "END:VCALENDAR", "")).encode()


def plain_times(data: bytes, window: Window) -> list[tuple[int, int]] | None:
    """Start and end in ms of every occurrence in a window; ``None`` where the entry is not plain or does not recur."""
    entry = _taken_apart(data.decode("utf-8", "replace"))
    if entry is None or entry.start is None or not entry.rule:
        return None
    starts = _starts(entry, window)
    if starts is None:
        return None
    length = _length(entry)
    return [(_ms(entry, start), _ms(entry, start + length)) for start in starts]


def _taken_apart(text: str) -> _Plain | None:
    lines = text.replace("\r\n", "\n").split("\n")
    found = _Plain([], [])
    path: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith("BEGIN:"):
            path.append(line[6:])
        if not _is_known(path, found, line):
            return None
        if path == ["VCALENDAR", "VEVENT"] and line.startswith(_KEYS):
            folded = number + 1 < len(lines) and lines[number + 1].startswith((" ", "\t"))
            if folded or not _read(found, line):
                return None
        elif path == ["VCALENDAR"]:
            found.head.append(line)
        elif path[1:2] == ["VEVENT"] and line not in ("BEGIN:VEVENT", "END:VEVENT"):
            found.lines.append(line)
        if line.startswith("END:") and (not path or path.pop() != line[4:]):
            return None
    if found.head[-1:] == ["END:VCALENDAR"]:
        found.head.pop()
    return found if not path else None


def _is_known(path: Sequence[str], found: _Plain, line: str) -> bool:
    """Whether a line may stand in a plain entry."""
    if len(path) > 1 and path[1] == "VTIMEZONE":
        return not line.startswith("TZID") or line == "TZID:Asia/Tokyo"
    if line == "BEGIN:VEVENT":
        return found.kind == "?" and not found.lines
    if path == ["VCALENDAR", "VEVENT"]:
        return not line.startswith(_OTHER)
    return len(path) < 3 or path[2] == "VALARM"


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
    pattern, length = _FORMS[kind]
    if any(len(value) != length for value in values):
        return False
    try:
        times = [datetime.strptime(value, pattern) for value in values]  # noqa: DTZ007 - a clock on a wall
    except ValueError:
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
    for number, start in enumerate(starts_of(rule, entry.start)):
        if number == 0 and start != entry.start:
            return None  # a start that does not obey its own rule
        if start >= last:
            break
        if number > _STEPS or len(found) > _MOST:
            return None
        if (start + length > first or (not length and start >= first)) and start not in entry.left_out:
            found.append(start)
    return found if number >= 0 else None


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


def _ms(entry: _Plain, wall: datetime) -> int:
    return round((wall - entry.offset - _EPOCH).total_seconds()) * 1000


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
