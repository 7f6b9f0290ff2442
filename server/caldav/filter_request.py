"""``C:filter`` as data (RFC 4791 section 9.7)."""

from __future__ import annotations

from server.caldav.names import CALDAV
from server.caldav.xml_reading import Element, child, children
from server.calendars.filters import COLLATIONS, CompFilter, ParamFilter, PropFilter, TextMatch
from server.calendars.model import Window
from server.calendars.refusals import Condition, refuse
from server.calendars.times import read_utc

_MAX_FILTERS = 60
_FILTERS = (CALDAV + "comp-filter", CALDAV + "prop-filter", CALDAV + "param-filter")
_MATCH_TYPES = ("contains", "equals", "starts-with", "ends-with")


def read_filter(element: Element | None) -> CompFilter:
    """The filter's one ``comp-filter``, which must be of VCALENDAR; without a filter everything passes."""
    if element is None:
        return CompFilter("VCALENDAR")
    if sum(1 for _ in element.iter(*_FILTERS)) > _MAX_FILTERS:
        raise refuse(Condition.SUPPORTED_FILTER, "The filter has too many parts")
    tops = list(children(element, CALDAV + "comp-filter"))
    if len(tops) != 1 or _name(tops[0]) != "VCALENDAR":
        raise refuse(Condition.VALID_FILTER, "A filter has one comp-filter of VCALENDAR")
    return _comp_filter(tops[0])


def _comp_filter(element: Element) -> CompFilter:
    return CompFilter(
        _name(element), _is_defined(element), _window(child(element, CALDAV + "time-range")),
        tuple(_prop_filter(inner) for inner in children(element, CALDAV + "prop-filter")),
        tuple(_comp_filter(inner) for inner in children(element, CALDAV + "comp-filter")),
    )


def _prop_filter(element: Element) -> PropFilter:
    return PropFilter(
        _name(element), _is_defined(element), _window(child(element, CALDAV + "time-range")),
        _text_match(child(element, CALDAV + "text-match")),
        tuple(_param_filter(inner) for inner in children(element, CALDAV + "param-filter")),
    )


def _param_filter(element: Element) -> ParamFilter:
    return ParamFilter(_name(element), _is_defined(element), _text_match(child(element, CALDAV + "text-match")))


def _text_match(element: Element | None) -> TextMatch | None:
    if element is None:
        return None
    collation = element.get("collation", COLLATIONS[0])
    if collation == "default":
        collation = COLLATIONS[0]
    if collation not in COLLATIONS:
        raise refuse(Condition.SUPPORTED_COLLATION, "Texts cannot be compared in that way")
    kind = element.get("match-type", "contains")
    if kind not in _MATCH_TYPES:
        raise refuse(Condition.VALID_FILTER, "Unknown match-type")
    return TextMatch(element.text or "", collation, element.get("negate-condition", "no") == "yes", kind)


def _window(element: Element | None) -> Window | None:
    if element is None:
        return None
    start, end = element.get("start"), element.get("end")
    if start is None and end is None:
        raise refuse(Condition.VALID_FILTER, "A time range needs a start or an end")
    window = Window(None if start is None else read_utc(start), None if end is None else read_utc(end))
    if window.start is not None and window.end is not None and window.start >= window.end:
        raise refuse(Condition.VALID_FILTER, "The time range ends before it starts")
    return window


def _is_defined(element: Element) -> bool:
    return child(element, CALDAV + "is-not-defined") is None


def _name(element: Element) -> str:
    name = str(element.get("name", "")).upper()
    if not name:
        raise refuse(Condition.VALID_FILTER, "A part of the filter has no name")
    return name


