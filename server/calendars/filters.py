"""CALDAV:filter as data and as a question to an object (RFC 4791 section 9.7). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from server.calendars.alarms import alarm_rings_in
from server.calendars.calendar_object import CalendarObject
from server.calendars.model import Span, Window
from server.calendars.occurrences import happens_in, occurrences, own_times
from server.calendars.reading import Part
from server.calendars.recurrence_rules import values_of
from server.calendars.times import to_ms
from server.calendars.todos import todo_is_in

_ALARM_REACH_MS: Final = 31 * 86_400_000
_OPEN_END_MS: Final = 3 * 366 * 86_400_000
COLLATIONS: Final = ("i;ascii-casemap", "i;octet", "i;unicode-casemap")


@dataclass(frozen=True, slots=True)
class TextMatch:
    """RFC 4791 section 9.7.5; ``kind`` is how the texts are compared (``contains`` unless a client asks else)."""

    text: str
    collation: str = "i;ascii-casemap"
    negate: bool = False
    kind: str = "contains"

    def holds(self, value: str) -> bool:
        """Whether ``value`` matches."""
        return self._matches(_folded(value, self.collation), _folded(self.text, self.collation)) != self.negate

    def _matches(self, value: str, text: str) -> bool:
        if self.kind == "equals":
            return value == text
        if self.kind == "starts-with":
            return value.startswith(text)
        if self.kind == "ends-with":
            return value.endswith(text)
        return text in value


@dataclass(frozen=True, slots=True)
class ParamFilter:
    """RFC 4791 section 9.7.3. ``present`` False: is-not-defined."""

    name: str
    present: bool = True
    text: TextMatch | None = None


@dataclass(frozen=True, slots=True)
class PropFilter:
    """RFC 4791 section 9.7.2."""

    name: str
    present: bool = True
    window: Window | None = None
    text: TextMatch | None = None
    params: tuple[ParamFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class CompFilter:
    """RFC 4791 section 9.7.1."""

    name: str
    present: bool = True
    window: Window | None = None
    props: tuple[PropFilter, ...] = ()
    comps: tuple[CompFilter, ...] = ()

    @property
    def only_time(self) -> bool:
        """Whether nothing but the kind of component and the time is asked."""
        return self.present and not self.props and not self.comps


def matches(thing: CalendarObject, span: Span, query: CompFilter) -> bool:
    """Whether an object passes a filter whose top is VCALENDAR."""
    if not _props_hold(thing.calendar, query.props):
        return False
    if query.window is not None and not _takes_place(thing, span, CompFilter(thing.component, window=query.window)):
        return False
    return all(_component_passes(thing, span, inner) for inner in query.comps)


def _component_passes(thing: CalendarObject, span: Span, query: CompFilter) -> bool:
    if query.name != thing.component:
        other = any(part.name == query.name for part in thing.calendar.subcomponents)
        return other == query.present and (not other or query.only_time)
    if not query.present:
        return False
    if query.window is not None:
        return _takes_place(thing, span, query)
    rings = next((inner.window for inner in query.comps if inner.window is not None), None)
    if rings is not None and thing.recurs:
        return any(_part_passes(part, query) for part in _parts_in(thing, _widened(rings), span))
    return any(_part_passes(part, query) for part in thing.parts)


def _takes_place(thing: CalendarObject, span: Span, query: CompFilter) -> bool:
    assert query.window is not None
    if not thing.recurs:
        return _single_is_in(thing.parts[0], query.window) and _part_passes(thing.parts[0], query)
    if own_times(thing.parts[0]) is None:
        return any(_part_passes(part, query) for part in thing.parts)
    if query.only_time:
        return happens_in(thing, query.window, span)
    return any(_part_passes(part, query) for part in _parts_in(thing, query.window, span))


def _parts_in(thing: CalendarObject, window: Window, span: Span) -> Iterable[Part]:
    """The occurrences in ``window`` as components; an open side is taken to be a few years from what there is."""
    start = max((item for item in (window.start, span.start) if item is not None), default=0)
    end = window.end if window.end is not None else start + _OPEN_END_MS
    return (item.source.as_component(False) for item in occurrences(thing, Window(start, max(start, end))))


def _widened(window: Window) -> Window:
    """Where an entry may be whose alarm rings in ``window``: alarms of recurring entries reach a month at most."""
    start = None if window.start is None else window.start - _ALARM_REACH_MS
    return Window(start, None if window.end is None else window.end + _ALARM_REACH_MS)


def _single_is_in(part: Part, window: Window) -> bool:
    if part.name == "VTODO":
        return todo_is_in(part, window)
    times = own_times(part)
    return times is not None and window.meets(*times)


def _part_passes(part: Part, query: CompFilter) -> bool:
    return _props_hold(part, query.props) and all(_sub_passes(part, inner) for inner in query.comps)


def _sub_passes(part: Part, query: CompFilter) -> bool:
    inner = [sub for sub in part.subcomponents if sub.name == query.name]
    if not query.present:
        return not inner
    return any(
        (query.window is None or alarm_rings_in(sub, part, query.window)) and _part_passes(sub, query) for sub in inner
    )


def _props_hold(part: Part, filters: Iterable[PropFilter]) -> bool:
    return all(_prop_holds(part, item) for item in filters)


def _prop_holds(part: Part, query: PropFilter) -> bool:
    values = values_of(part, query.name)
    if not query.present:
        return not values
    return any(_value_holds(value, query) for value in values)


def _value_holds(value: Any, query: PropFilter) -> bool:
    if query.window is not None and not _moment_is_in(value, query.window):
        return False
    if query.text is not None and not query.text.holds(text_of(value)):
        return False
    return all(_param_holds(getattr(value, "params", {}), item) for item in query.params)


def _moment_is_in(value: Any, window: Window) -> bool:
    moment = getattr(value, "dt", None)
    return isinstance(moment, date) and window.meets(to_ms(moment), to_ms(moment))


def _param_holds(params: Any, query: ParamFilter) -> bool:
    value = params.get(query.name)
    if not query.present or value is None:
        return (value is None) != query.present
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return query.text is None or query.text.holds(text)


def text_of(value: Any) -> str:
    """What a property says, as text without iCalendar's escapes."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "cats"):
        return ",".join(str(item) for item in value.cats)
    raw = value.to_ical()
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _folded(text: str, collation: str) -> str:
    if collation == "i;octet":
        return text
    if collation == "i;unicode-casemap":
        return text.casefold()
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)
