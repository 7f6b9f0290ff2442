"""``C:calendar-data`` in a request (RFC 4791 section 9.6)."""

from __future__ import annotations

from server.caldav.names import CALDAV
from server.caldav.xml_reading import Element, child, children
from server.calendars.expansion import CompSelection, DataRequest
from server.calendars.model import Window
from server.calendars.refusals import Condition, refuse
from server.calendars.times import read_utc


def read_data_request(element: Element | None) -> DataRequest:
    """What of each entry is wanted; the stored bytes without an element or an empty one."""
    if element is None:
        return DataRequest()
    content_type = element.get("content-type", "text/calendar")
    if content_type.lower() != "text/calendar" or element.get("version", "2.0") != "2.0":
        raise refuse(Condition.SUPPORTED_DATA, "Entries are text/calendar 2.0")
    top = child(element, CALDAV + "comp")
    # Calendars hold no VFREEBUSY, so there is nothing to leave out; but a time that is none is refused.
    _bounded(child(element, CALDAV + "limit-freebusy-set"))
    return DataRequest(
        expand=_bounded(child(element, CALDAV + "expand")),
        limit_recurrence=_bounded(child(element, CALDAV + "limit-recurrence-set")),
        selection=None if top is None else _selection(top),
    )


def _bounded(element: Element | None) -> Window | None:
    if element is None:
        return None
    return bounded_window(element)


def bounded_window(element: Element) -> Window:
    """A time range with both ends; raises a refusal."""
    window = Window(read_utc(element.get("start", "")), read_utc(element.get("end", "")))
    if (window.start or 0) >= (window.end or 0):
        raise refuse(Condition.VALID_FILTER, "The time range ends before it starts")
    return window


def _selection(element: Element) -> CompSelection:
    props = tuple(
        (str(prop.get("name", "")).upper(), prop.get("novalue", "no") != "yes")
        for prop in children(element, CALDAV + "prop")
    )
    comps = tuple(_selection(comp) for comp in children(element, CALDAV + "comp"))
    return CompSelection(
        str(element.get("name", "")).upper(),
        None if child(element, CALDAV + "allprop") is not None else props,
        None if child(element, CALDAV + "allcomp") is not None else comps,
    )
