"""The free-busy-query report (RFC 4791 section 7.10)."""

from __future__ import annotations

from aiohttp import web

from server.caldav.call import Call
from server.caldav.data_request import bounded_window
from server.caldav.entries import calendar_of
from server.caldav.names import CALDAV
from server.caldav.xml_reading import Element, child
from server.calendars.refusals import Condition, refuse


async def free_busy_query(call: Call, root: Element) -> web.Response:
    """The busy times of one calendar as iCalendar."""
    element = child(root, CALDAV + "time-range")
    if element is None:
        raise refuse(Condition.VALID_FILTER, "The report needs a time range")
    window = bounded_window(element)
    body = await call.calendars.free_busy(await calendar_of(call), window)
    return web.Response(body=body, content_type="text/calendar", charset="utf-8")
