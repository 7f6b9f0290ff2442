"""Whose keys have changed between two syncs (spec, "End-to-End Encryption": ``keys/changes``)."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.requests import member, required_query
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.sync.filters import NO_FILTER
from server.sync.request import SyncRequest
from server.sync.tokens import SyncToken


def add_routes(doors: Doors) -> None:
    """The question."""
    doors.get("v3/keys/changes", changes)


async def changes(request: web.Request) -> web.Response:
    """GET keys/changes"""
    known = await member(request)
    since = SyncToken.parse(required_query(request, "from"))
    until = SyncToken.parse(required_query(request, "to"))
    asked = SyncRequest(known.user_id, known.device_id, NO_FILTER, since)
    return json_answer(await request.app[ROOMS].sync.device_lists(asked, until))
