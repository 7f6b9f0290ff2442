"""When a gathering takes place, once or again and again. Repeating goes by the clock on the wall in Japan."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

from server.association.gatherings.model import Gathering, Moment
from server.foundation.clock import TOKYO

_UNTIL: Final = re.compile(r"UNTIL=(\d{8}T\d{6})Z")
_MOST_STEPS: Final = 20_000
_FAR_MS: Final = 2 * 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a gathering takes place; ``start_ms`` and ``end_ms`` since 1970."""

    gathering: Gathering
    start_ms: int
    end_ms: int


def occurrences_after(gathering: Gathering, now_ms: int, limit: int) -> list[Occurrence]:
    """The next ``limit`` times that are not over at ``now_ms``, within two years."""
    return list(islice(occurrences_between(gathering, now_ms, now_ms + _FAR_MS), limit))


def occurrences_between(gathering: Gathering, first_ms: int, last_ms: int) -> Iterator[Occurrence]:
    """The times that are not over at ``first_ms`` and have begun by ``last_ms``, in order."""
    length = to_ms(gathering.plan.end) - to_ms(gathering.plan.start)
    for start in islice(_starts(gathering), _MOST_STEPS):
        if start > last_ms:
            break
        if start + length > first_ms or start >= first_ms:
            yield Occurrence(gathering, start, start + length)


def to_ms(value: Moment) -> int:
    """Milliseconds since 1970; a day begins in Japan."""
    moment = value if isinstance(value, datetime) else _midnight(value)
    return round(moment.timestamp()) * 1000


def _starts(gathering: Gathering) -> Iterator[int]:
    plan = gathering.plan
    if not plan.rule:
        yield to_ms(plan.start)
        return
    left_out = {to_ms(value) for value in plan.except_for}
    first = plan.start if isinstance(plan.start, datetime) else _midnight(plan.start)
    rule = _UNTIL.sub(lambda match: "UNTIL=" + _wall_clock(match[1]), plan.rule)
    try:
        series = iter(_rules().rrulestr(rule, dtstart=first.astimezone(TOKYO).replace(tzinfo=None)))
    except ValueError:
        yield to_ms(plan.start)
        return
    for moment in series:
        start = to_ms(moment.replace(tzinfo=TOKYO))
        if start not in left_out:
            yield start


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO)


def _wall_clock(utc: str) -> str:
    """The library wants an UNTIL without a zone beside a start without one."""
    moment = datetime.strptime(utc, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return moment.astimezone(TOKYO).strftime("%Y%m%dT%H%M%S")


def _rules() -> Any:
    """The library of recurrence rules, loaded when something repeats (docs/decisions/0008)."""
    return importlib.import_module("dateutil.rrule")
