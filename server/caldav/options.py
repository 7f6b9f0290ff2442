"""OPTIONS (RFC 4791 section 5.1)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.caldav.answers import CLASSES
from server.caldav.call import Call
from server.caldav.paths import Place
from server.calendars.invitations import OUTBOX

_ALWAYS: Final = "OPTIONS, PROPFIND, PROPPATCH, REPORT"


async def options(call: Call) -> web.Response:
    """What can be done here. 200, since Thunderbird takes 204 for a failure."""
    place = call.require_own().place
    more = {
        Place.ITEM: ", GET, HEAD, PUT, DELETE, COPY, MOVE",
        Place.COLLECTION: ", MKCALENDAR, MKCOL, DELETE",
    }.get(place, "")
    if call.target.collection == OUTBOX and place is Place.COLLECTION:
        more = ", POST"
    return web.Response(headers={"DAV": CLASSES, "Allow": _ALWAYS + more})
