"""When a VTODO counts as being in a window of time (the table of RFC 4791 section 9.9). Pure."""

from __future__ import annotations

from server.calendars.model import Window
from server.calendars.reading import Part
from server.calendars.times import to_ms

_ALWAYS_BEFORE = -(2**62)
_ALWAYS_AFTER = 2**62


def todo_is_in(part: Part, window: Window) -> bool:
    """Rows of the table, told apart by which of DTSTART, DURATION, DUE, COMPLETED and CREATED are there."""
    start = _ALWAYS_BEFORE if window.start is None else window.start
    end = _ALWAYS_AFTER if window.end is None else window.end
    begins, due = _ms(part, "DTSTART"), _ms(part, "DUE")
    if begins is not None:
        return _started_is_in(part, begins, due, start, end)
    if due is not None:
        return start < due and end >= due
    return _undated_is_in(_ms(part, "COMPLETED"), _ms(part, "CREATED"), start, end)


def _started_is_in(part: Part, begins: int, due: int | None, start: int, end: int) -> bool:
    if due is not None:
        return (start < due or start <= begins) and (end > begins or end >= due)
    if "DURATION" in part:
        stops = begins + round(part["DURATION"].dt.total_seconds()) * 1000
        return start <= stops and (end > begins or end >= stops)
    return start <= begins and end > begins


def _undated_is_in(completed: int | None, created: int | None, start: int, end: int) -> bool:
    if completed is not None and created is not None:
        return start <= max(created, completed) and end >= min(created, completed)
    if completed is not None:
        return start <= completed <= end
    return created is None or end > created


def _ms(part: Part, name: str) -> int | None:
    return to_ms(part[name].dt) if name in part else None
