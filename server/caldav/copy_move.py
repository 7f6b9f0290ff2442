"""COPY and MOVE of an entry (RFC 4918 sections 9.8 and 9.9); whole calendars are neither copied nor moved."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from server.caldav.call import Call
from server.caldav.paths import Place, Target, collection_href, path_of_href, read_path, segment
from server.calendars.actions import Entry
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import BadRequest, NotFound, Refused


async def copy(call: Call) -> web.Response:
    """The entry under another name or in another calendar, too."""
    return await _transfer(call, keep=True)


async def move(call: Call) -> web.Response:
    """The entry under another name or in another calendar."""
    return await _transfer(call, keep=False)


async def _transfer(call: Call, *, keep: bool) -> web.Response:
    source = call.require_own()
    if source.place is not Place.ITEM:
        raise refuse(Condition.NONE, "Only entries can be copied and moved")
    target = _destination(call)
    from_shelf = await call.shelf()
    await call.calendars.item(from_shelf, source.item)
    if (target.collection, target.item) == (source.collection, source.item):
        raise refuse(Condition.NONE, "An entry cannot be copied onto itself")
    try:
        to_shelf = await call.calendars.find(call.user_id, target.collection)
    except NotFound:
        raise _no_parent() from None
    result = await call.calendars.transfer(
        call.user_id, Entry(from_shelf, source.item), Entry(to_shelf, target.item), call.expected(), keep=keep,
        overwrite=_overwrite(call),
    )
    place = collection_href(call.localpart, target.collection) + segment(target.item)
    return web.Response(status=201 if result.created else 204, headers={"Location": place} if result.created else {})


def _destination(call: Call) -> Target:
    header = call.headers.get("Destination", "")
    try:
        host = urlsplit(header).netloc
        path = path_of_href(header)
    except ValueError:
        raise BadRequest("The Destination cannot be read") from None
    if not path:
        raise BadRequest("The Destination is missing")
    if host and host.lower() != call.headers.get("Host", "").lower():
        raise Refused("The Destination is on another server", status=502)
    try:
        target = call.require_own(read_path(path))
    except NotFound:
        raise _no_parent() from None
    if target.place is not Place.ITEM:
        raise refuse(Condition.COLLECTION_LOCATION, "Entries lie in calendars")
    return target


def _overwrite(call: Call) -> bool:
    value = call.headers.get("Overwrite", "T").strip().upper()
    if value not in ("T", "F"):
        raise BadRequest("Overwrite must be T or F")
    return value == "T"


def _no_parent() -> Refused:
    return refuse(Condition.NONE, "There is no such calendar to put it into", status=409)
