"""Door: what a web page says of itself (spec, ``GET media/preview_url``)."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import Refused
from server.http.answers import json_answer
from server.http.keys import SETTINGS
from server.http.media_services import PREVIEWS
from server.http.requests import int_query, member, required_query
from server.media.previews import Previews


async def preview_url(request: web.Request) -> web.Response:
    """GET preview_url. ``ts`` is looked at and decides nothing: only the newest version of a page is known."""
    who = await member(request)
    if not request.app[SETTINGS].previews.enabled:
        raise Refused("Web pages are not previewed here", code="M_UNRECOGNIZED", status=404)
    address = required_query(request, "url")
    int_query(request, "ts", 0)
    services = request.app[PREVIEWS]
    # The module of ``Previews`` is loaded with this one, by the late door's thread: opening takes no time here.
    previews: Previews = services.open()
    preview = await previews.known(address)
    if preview is None:
        services.pages.take(who.user_id)
        preview = await previews.look(address)
    return json_answer(preview)
