"""The calendar-query report (RFC 4791 section 7.8)."""

from __future__ import annotations

from aiohttp import web

from server.caldav.answers import multistatus
from server.caldav.call import Call
from server.caldav.entries import answers, calendar_of
from server.caldav.filter_request import read_filter
from server.caldav.names import CALDAV
from server.caldav.prop_request import read_prop_request
from server.caldav.xml_reading import Element, child, text
from server.calendars.refusals import Condition, refuse


async def calendar_query(call: Call, root: Element) -> web.Response:
    """The entries that pass a filter. Times without a zone are meant in Japan, whatever zone the app sends along."""
    asked = read_prop_request(root)
    wanted = read_filter(child(root, CALDAV + "filter"))
    zone = child(root, CALDAV + "timezone")
    if zone is not None and "BEGIN:VTIMEZONE" not in text(zone).upper():
        raise refuse(Condition.CALENDAR_DATA, "The time zone is not a VTIMEZONE")
    shelf = await calendar_of(call)
    return multistatus(await answers(call, shelf, await call.calendars.query(shelf, wanted), asked))
