"""Door: our signing key, for whoever checks what we have signed."""

from __future__ import annotations

from aiohttp import web

from federation.identity.own_keys import published_keys
from server.http.answers import json_answer
from server.http.room_services import ROOMS
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Register the door of this file; old servers name a key in the path, which changes nothing."""
    doors.get("/_matrix/key/v2/server", server_keys)
    doors.get("/_matrix/key/v2/server/{keyId}", server_keys)


async def server_keys(request: web.Request) -> web.Response:
    """Our keys, signed by themselves; anybody may ask."""
    services = request.app[ROOMS]
    identity = services.sender.identity
    return json_answer(published_keys(identity.server_name, identity.key, services.clock.now_ms(), identity.old_keys))
