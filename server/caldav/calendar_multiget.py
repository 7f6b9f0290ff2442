"""The calendar-multiget report (RFC 4791 section 7.9)."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from server.caldav.answers import multistatus, response, status_line
from server.caldav.call import Call
from server.caldav.entries import answers, calendar_of
from server.caldav.names import DAV
from server.caldav.paths import Place, path_of_href, read_path
from server.caldav.prop_request import read_prop_request
from server.caldav.xml_reading import Element, children, text
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest, NotFound

MAX_HREFS: Final = 1000
_OURS: Final = re.compile(r"[A-Za-z0-9@_~-][A-Za-z0-9@._~-]{1,190}")


async def calendar_multiget(call: Call, root: Element) -> web.Response:
    """The entries of a list of hrefs; what does not exist, or not in this calendar, is answered with 404 each."""
    asked = read_prop_request(root)
    hrefs = list(dict.fromkeys(text(item) for item in children(root, DAV + "href")))
    if not hrefs:
        raise BadRequest("The report names no entries")
    if len(hrefs) > MAX_HREFS:
        raise refuse(Condition.WITHIN_LIMITS, f"At most {MAX_HREFS} entries can be asked for at a time")
    shelf = await calendar_of(call)
    names = {href: _name(call, href) for href in hrefs}
    found = await call.calendars.multiget(shelf, list(dict.fromkeys(name for name in names.values() if name)))
    parts = await answers(call, shelf, list(found.values()), asked)
    return multistatus(parts + [_missing(href) for href, name in names.items() if name not in found])


def _name(call: Call, href: str) -> str:
    # As we write it ourselves, and as nearly every app sends it back.
    item = href.removeprefix(call.collection_path)
    if item != href and _OURS.fullmatch(item):
        return item
    try:
        target = call.require_own(read_path(path_of_href(href)))
    except (NotFound, ValueError):
        return ""
    is_here = target.place is Place.ITEM and target.collection == call.target.collection
    return target.item if is_here else ""


def _missing(href: str) -> str:
    return response(href, status_line(404))
