"""Doors: sliding sync as it is deployed and as it was accepted, one engine behind both.

Loaded at the first request, see ``server.http.late_door``.
"""

from __future__ import annotations

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import InvalidParam
from server.http.answers import news_answer
from server.http.late_door import Handler
from server.http.requests import MAX_BODY_BYTES, body_bytes, caller, int_query
from server.http.room_services import ROOMS
from server.sync.sliding import deployed_dialect, merged_dialect
from server.sync.sliding.answer import Answer
from server.sync.sliding.asked import Asked
from server.sync.sliding.engine import SlidingSync
from server.sync.sliding.reading import PRESENCES


def open_door() -> Handler:
    """The handler of both doors: what is new in the rooms that a device looks at; waits for it up to ``timeout``."""
    opened: list[SlidingSync] = []

    async def answer(request: web.Request, who: Caller, asked: Asked, presence: str) -> Answer:
        sync = request.app[ROOMS].sync
        if not opened:
            opened.append(SlidingSync(sync))
        with sync.presence.syncing(who.user_id, who.device_id, presence):
            return await opened[0].answer(who.user_id, who.device_id, asked)

    def told(request: web.Request, news: bytes) -> web.Response:
        return news_answer(news, is_last=request.app[ROOMS].sync.is_stopping)

    async def deployed(request: web.Request) -> web.StreamResponse:
        who = await caller(request)
        presence = request.query.get("set_presence", "online")
        if presence not in PRESENCES:
            raise InvalidParam("set_presence is online, unavailable or offline")
        body = await body_bytes(request, MAX_BODY_BYTES)
        asked, txn_id = deployed_dialect.parse(body, request.query.get("pos"), int_query(request, "timeout", 0))
        return told(request, deployed_dialect.render(await answer(request, who, asked, presence), txn_id))

    async def merged(request: web.Request) -> web.StreamResponse:
        who = await caller(request)
        asked, presence, names = merged_dialect.parse(await body_bytes(request, MAX_BODY_BYTES))
        return told(request, merged_dialect.render(await answer(request, who, asked, presence), names))

    async def sliding_sync(request: web.Request) -> web.StreamResponse:
        """What is new in the rooms that the device looks at; waits for it up to ``timeout``."""
        return await (merged if request.path.endswith("/v4/sync") else deployed)(request)

    return sliding_sync
