"""Doors: the event nearest to a moment, and the threads of a room."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.foundation.errors import InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import int_query, member, required_query
from server.http.room_services import ROOMS
from server.matrix_api.history import tell_moments
from server.rooms.moments import event_at
from server.rooms.threads import Threads
from server.sync.tokens import SyncToken

_MOST: Final = 100


async def timestamp_to_event(request: web.Request) -> web.Response:
    """GET rooms/{roomId}/timestamp_to_event"""
    who = await member(request)
    required_query(request, "ts")
    direction = required_query(request, "dir")
    if direction not in ("b", "f"):
        raise InvalidParam("dir is b (backwards) or f (forwards)")
    entry = await event_at(
        request.app[DATABASE], request.app[ROOMS].history, request.match_info["roomId"], who.user_id,
        int_query(request, "ts", 0), backwards=direction == "b",
    )
    return json_answer({"event_id": entry.event.event_id, "origin_server_ts": entry.event.origin_server_ts})


async def threads(request: web.Request) -> web.Response:
    """GET rooms/{roomId}/threads: the roots of threads, those with the newest answer first."""
    who = await member(request)
    include = request.query.get("include", "all")
    if include not in ("all", "participated"):
        raise InvalidParam("include is all or participated")
    token = request.query.get("from")
    limit = min(int_query(request, "limit", 20, least=1), _MOST)
    entries, before = await Threads(request.app[DATABASE], request.app[ROOMS].history).page(
        request.match_info["roomId"], who.user_id, SyncToken.parse(token).stream if token else None, limit,
        participated=include == "participated", ignored=request.app[ACCOUNTS].account_data.ignored_by(who.user_id),
    )
    answer: dict[str, Any] = {"chunk": [entry.shown_to(who.user_id, who.device_id) for entry in entries]}
    await tell_moments(request, who, entries, answer["chunk"])
    if before is not None:
        answer["next_batch"] = str(SyncToken(before))
    return json_answer(answer)
