"""Door: sliding sync as it is deployed. Loaded at the first request, see ``server.http.late_door``."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import InvalidParam
from server.http.answers import ForgetfulResponse
from server.http.late_door import Handler
from server.http.requests import caller, int_query, json_body
from server.http.room_services import ROOMS
from server.sync.sliding.deployed_dialect import parse, render
from server.sync.sliding.engine import SlidingSync


def open_door() -> Handler:
    """The handler of ``POST unstable/org.matrix.simplified_msc3575/sync``."""
    opened: list[SlidingSync] = []

    async def sliding_sync(request: web.Request) -> web.StreamResponse:
        """What is new in the rooms that the device looks at; waits for it up to ``timeout``."""
        who = await caller(request)
        if request.query.get("set_presence", "online") not in ("online", "offline", "unavailable"):
            raise InvalidParam("set_presence is online, unavailable or offline")
        body = await json_body(request)
        asked = parse(body, who.user_id, request.query.get("pos"), int_query(request, "timeout", 0))
        if not opened:
            opened.append(SlidingSync(request.app[ROOMS].sync))
        answer = await opened[0].answer(who.user_id, who.device_id, asked)
        return ForgetfulResponse(render(answer, body))

    return sliding_sync
