"""When an alarm rings (RFC 5545 section 3.6.6, RFC 4791 section 9.9). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from server.calendars.model import Window
from server.calendars.occurrences import own_times
from server.calendars.reading import Part
from server.calendars.times import to_ms

_MAX_REPEATS: Final = 100


def alarm_rings_in(alarm: Part, part: Part, window: Window) -> bool:
    """Whether an alarm of ``part`` (one occurrence, or an entry that does not recur) rings in ``window``."""
    return any(window.meets(ring, ring) for ring in _rings(alarm, part))


def _rings(alarm: Part, part: Part) -> Iterator[int]:
    first = _first_ring(alarm, part)
    if first is None:
        return
    yield first
    pause = getattr(alarm.get("DURATION"), "dt", None)
    if isinstance(pause, timedelta):
        for turn in range(1, min(int(alarm.get("REPEAT", 0)), _MAX_REPEATS) + 1):
            yield first + turn * round(pause.total_seconds()) * 1000


def _first_ring(alarm: Part, part: Part) -> int | None:
    trigger = alarm.get("TRIGGER")
    value = getattr(trigger, "dt", None)
    if value is None or trigger is None:
        return None
    if not isinstance(value, timedelta):
        return to_ms(value)
    times = own_times(part)
    if times is None:
        return None
    anchor = times[1] if str(trigger.params.get("RELATED", "START")).upper() == "END" else times[0]
    return anchor + round(value.total_seconds()) * 1000
