"""GET and HEAD of an entry."""

from __future__ import annotations

from aiohttp import web

from server.caldav.call import Call, read_etags
from server.caldav.paths import Place
from server.calendars.invitation_ics import is_scheduled


async def get(call: Call) -> web.Response:
    """The entry's bytes with a strong ETag; 304 if the caller has them."""
    target = call.require_place(Place.ITEM)
    shelf = await call.shelf()
    item = await call.calendars.item(shelf, target.item)
    headers = {"ETag": f'"{item.head.etag}"', "Cache-Control": "private, no-cache"}
    if is_scheduled(item.data):
        headers["Schedule-Tag"] = headers["ETag"]
    known = read_etags(call.headers.get("If-None-Match")) or frozenset()
    if known & {item.head.etag, "*"}:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = f"text/calendar; charset=utf-8; component={shelf.collection.component}"
    return web.Response(body=item.data, headers=headers)
