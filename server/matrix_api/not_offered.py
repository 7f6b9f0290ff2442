"""Things that clients ask for at their start and that this node does not have: honest, empty answers."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.requests import member
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Pushers."""
    doors.get("v3/pushers", pushers)


async def pushers(request: web.Request) -> web.Response:
    """GET pushers: none can be set."""
    await member(request)
    return json_answer({"pushers": []})
