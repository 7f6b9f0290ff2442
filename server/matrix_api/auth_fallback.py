"""Where clients send people for a stage that is not for them (spec, "User-Interactive Authentication": fallback)."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import NotFound
from server.http.keys import INTERACTIVE_AUTH
from server.http.requests import required_query


async def fallback(request: web.Request) -> web.Response:
    """GET auth/{stage}/fallback/web: on to the node's own page for this stage, on the same host."""
    session = request.app[INTERACTIVE_AUTH].find(required_query(request, "session"))
    stage = request.match_info["stage"]
    if session is None or not session.demand.has_stage(stage):
        raise NotFound("There is no such authentication; please begin again in your client")
    return web.Response(status=302, headers={"Location": f"/auth/{stage}/{session.id}", "Cache-Control": "no-store"})
