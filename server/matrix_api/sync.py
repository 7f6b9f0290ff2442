"""Door: ``GET /sync``."""

from __future__ import annotations

from aiohttp import web

from server.accounts.presence import check_state
from server.accounts.sessions import Caller
from server.foundation.canonical_json import parse_json
from server.foundation.errors import InvalidParam
from server.http.answers import news_answer
from server.http.requests import bool_query, caller, int_query
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.sync.filters import NO_FILTER, Filter, parse_filter
from server.sync.request import SyncRequest
from server.sync.tokens import SyncToken


def add_routes(doors: Doors) -> None:
    """Register the door of this file."""
    doors.get("v3/sync", sync)


async def sync(request: web.Request) -> web.Response:
    """What is new since the device last asked; waits for it up to ``timeout``."""
    who = await caller(request)
    query = request.query
    since = query.get("since")
    asked = SyncRequest(
        who.user_id,
        who.device_id,
        await _filter(request, who),
        _position(since) if since else None,
        int_query(request, "timeout", 0),
        bool_query(request, "full_state"),
        bool_query(request, "use_state_after") or bool_query(request, "org.matrix.msc4222.use_state_after"),
        check_state(query.get("set_presence", "online")),
    )
    news = request.app[ROOMS].sync
    answer = await news.answer(asked)
    return news_answer(answer, is_last=news.is_stopping)


def _position(text: str) -> SyncToken:
    token = SyncToken.parse(text)
    if token.stream < 0:
        raise InvalidParam("This is a position of a history, not of a sync")
    return token


async def _filter(request: web.Request, who: Caller) -> Filter:
    """The filter, given whole or by the id under which it was stored."""
    text = request.query.get("filter")
    if not text:
        return NO_FILTER
    if text.startswith("{"):
        return parse_filter(parse_json(text))
    return await request.app[ROOMS].stored_filters.of(who.user_id, text)
