"""REPORT: which report is it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from server.caldav.calendar_multiget import calendar_multiget
from server.caldav.calendar_query import calendar_query
from server.caldav.call import Call
from server.caldav.expand_property import expand_property
from server.caldav.free_busy_query import free_busy_query
from server.caldav.names import CALDAV, DAV
from server.caldav.principal_search import principal_property_search, principal_search_property_set
from server.caldav.sync_collection import sync_collection
from server.caldav.xml_reading import Element, read_xml
from server.calendars.refusals import Condition, refuse

Report = Callable[[Call, Element], Awaitable[web.Response]]

REPORTS: Final[Mapping[str, Report]] = {
    CALDAV + "calendar-query": calendar_query,
    CALDAV + "calendar-multiget": calendar_multiget,
    CALDAV + "free-busy-query": free_busy_query,
    DAV + "sync-collection": sync_collection,
    DAV + "expand-property": expand_property,
    DAV + "principal-property-search": principal_property_search,
    DAV + "principal-search-property-set": principal_search_property_set,
}


async def report(call: Call) -> web.Response:
    """Answer one report."""
    call.require_own()
    root = read_xml(call.body)
    answer = REPORTS.get(str(root.tag))
    if answer is None:
        raise refuse(Condition.SUPPORTED_REPORT, "This report is not offered")
    return await answer(call, root)
