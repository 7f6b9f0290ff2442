"""DELETE of an entry, or of a calendar of one's own."""

from __future__ import annotations

from aiohttp import web

from server.caldav.call import Call
from server.caldav.paths import Place
from server.calendars.model import Kind
from server.calendars.refusals import refuse_rights


async def delete(call: Call) -> web.Response:
    """204 when it is gone."""
    target = call.require_own()
    if target.place not in (Place.ITEM, Place.COLLECTION):
        raise refuse_rights()
    shelf = await call.shelf()
    if target.place is Place.COLLECTION:
        await call.calendars.remove(call.user_id, shelf)
    else:
        if shelf.collection.kind is Kind.INVITED and call.headers.get("Schedule-Reply", "").strip().upper() == "F":
            await call.calendars.put_away(call.user_id, target.item)
            return web.Response(status=204)
        await call.calendars.delete_item(call.user_id, shelf, target.item, call.expected())
    return web.Response(status=204)
