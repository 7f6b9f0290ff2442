"""PUT of an entry (RFC 4791 section 5.3.2)."""

from __future__ import annotations

from aiohttp import web

from server.caldav.call import Call
from server.caldav.paths import Place
from server.calendars.addresses import Addresses
from server.calendars.calendar_object import read_object
from server.calendars.invitation_ics import is_scheduled, undelivered
from server.calendars.refusals import Condition, refuse


def _told(call: Call) -> bytes | None:
    """The entry with the word that nobody whom its owner has invited was told; ``None`` where it need not say so."""
    return undelivered(read_object(call.body), call.user_id, Addresses(call.settings.server_name))


async def put(call: Call) -> web.Response:
    """Write an entry; 201 or 204, with an ETag only where the stored bytes are those that were sent."""
    target = call.require_place(Place.ITEM)
    shelf = await call.shelf()
    kind = call.headers.get("Content-Type", "text/calendar").partition(";")[0].strip().lower()
    if kind not in ("text/calendar", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"):
        raise refuse(Condition.SUPPORTED_DATA, "Entries are text/calendar")
    body = _told(call) if shelf.is_own and is_scheduled(call.body) else None
    result = await call.calendars.put_item(call.user_id, shelf, target.item, body or call.body, call.expected())
    headers = {} if result.etag is None or body is not None else {"ETag": f'"{result.etag}"'}
    if result.etag is not None and is_scheduled(call.body):
        headers["Schedule-Tag"] = f'"{result.etag}"'
    return web.Response(status=201 if result.created else 204, headers=headers)
