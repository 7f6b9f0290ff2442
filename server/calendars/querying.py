"""Choosing the items that a filter asks for, without parsing again what was asked a moment ago."""

from __future__ import annotations

import logging
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Final, TypeAlias

from server.calendars.calendar_object import open_object
from server.calendars.filters import CompFilter, matches
from server.calendars.model import Item, Window
from server.calendars.occurrences import occurrences
from server.calendars.plain_expansion import plain_times
from server.calendars.refusals import CalendarRefused
from server.calendars.text_search import may_pass
from server.calendars.times import from_ms, to_ms

logger = logging.getLogger(__name__)

# Fewer than this are looked at on the spot; more would keep everybody else waiting.
_AT_ONCE: Final = 3
_LONGEST_KNOWN_MS: Final = 3 * 366 * 86_400_000


def window_of(query: CompFilter, component: str) -> Window:
    """A window outside of which nothing can pass ``query``; unbounded where the filter does not bound it."""
    if query.window is not None:
        return query.window
    for inner in query.comps:
        if inner.name == component and inner.window is not None:
            return inner.window
    return Window()


Elsewhere: TypeAlias = Callable[
    [Iterable[Item], Callable[[Iterable[Item]], dict[str, bool]]], Awaitable[dict[str, bool]]
]
"""Does what takes long over items, without keeping everybody else waiting."""


async def select(
    items: Sequence[Item], query: CompFilter, component: str, years: YearSpans, elsewhere: Elsewhere | None = None
) -> list[Item]:
    """Those of ``items`` (all of kind ``component``) that pass ``query``, in their order."""
    simple = _time_alone(query, component)
    cached = simple if component == "VEVENT" else None
    chosen: dict[str, bool] = {}
    doubtful = []
    for item in items:
        if simple is not None and item.head.span.exact:
            span = item.head.span
            chosen[item.head.name] = simple.meets(span.start or 0, span.end or 0)
        else:
            doubtful.append(item)
    ask = partial(_ask_all, query=query, component=component, simple=cached, years=years)
    if len(doubtful) > _AT_ONCE and elsewhere is not None:
        answers = await elsewhere(doubtful, ask)
    else:
        answers = ask(doubtful)
    chosen.update(answers)
    return [item for item in items if chosen[item.head.name]]


def _time_alone(query: CompFilter, component: str) -> Window | None:
    """The window, where ``query`` asks nothing but when something takes place."""
    if query.window is not None or query.props or len(query.comps) > 1:
        return None
    if not query.comps:
        return Window()
    inner = query.comps[0]
    if inner.name != component or not inner.only_time:
        return None
    return inner.window or Window()


def _ask_all(
    items: Iterable[Item], query: CompFilter, component: str, simple: Window | None, years: YearSpans
) -> dict[str, bool]:
    return {
        item.head.name: may_pass(item, query, component) and _passes(item, query, simple, years) for item in items
    }


def _passes(item: Item, query: CompFilter, simple: Window | None, years: YearSpans) -> bool:
    try:
        if simple is not None:
            known = years.meet(item, simple)
            if known is not None:
                return known
        return matches(open_object(item.data), item.head.span, query)
    except CalendarRefused:
        raise
    except Exception as fault:
        # One bad old object must not take the whole calendar away. Its text is personal, so only the kind is told.
        logger.error("an item could not be asked: %s", type(fault).__name__)
        return False


class YearSpans:
    """When recurring VEVENTs take place, year by year, kept for the next question.

    At most ``years`` years of entries with ``numbers`` starts and ends in all, those asked for last.
    """

    def __init__(self, years: int = 8192, numbers: int = 600_000) -> None:
        self._years = years
        self._numbers = numbers
        self._known: OrderedDict[tuple[str, int], array[int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def meet(self, item: Item, window: Window) -> bool | None:
        """Whether ``item`` takes place in ``window``; ``None`` where a few years do not tell."""
        if window.start is None or window.end is None or window.end - window.start > _LONGEST_KNOWN_MS:
            return None
        first, last = from_ms(window.start).year, from_ms(max(window.start, window.end - 1)).year
        for year in range(first, last + 1):
            spans = self._year(item, year)
            if any(window.meets(start, end) for start, end in zip(spans[::2], spans[1::2], strict=True)):
                return True
        return False

    def _year(self, item: Item, year: int) -> array[int]:
        key = (item.head.etag, year)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _spans_in_year(item, year)
        with self._lock:
            self._size += len(found) - len(self._known.get(key, ()))
            self._known[key] = found
            while len(self._known) > self._years or self._size > self._numbers:
                self._size -= len(self._known.popitem(last=False)[1])
        return found


def _spans_in_year(item: Item, year: int) -> array[int]:
    """Start, end, start, end ... in ms; eight bytes each, so that a daily series costs 6 KB a year."""
    whole = Window(to_ms(datetime(year, 1, 1, tzinfo=UTC)), to_ms(datetime(year + 1, 1, 1, tzinfo=UTC)))
    if not whole.may_meet(item.head.span):
        return array("q")
    plain = plain_times(item.data, whole)
    if plain is not None:
        return array("q", [moment for times in plain for moment in times])
    found = occurrences(open_object(item.data), whole)
    return array("q", [moment for one in found for moment in (one.start, one.end)])
