"""Filters (spec, "Filtering")."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import caller, json_body, require_self
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Storing and reading filters."""
    doors.post("v3/user/{user_id}/filter", add_filter)
    doors.get("v3/user/{user_id}/filter/{filter_id}", get_filter)


async def add_filter(request: web.Request) -> web.Response:
    """POST user/{user_id}/filter"""
    known = await caller(request)
    require_self(known, request.match_info["user_id"])
    filter_id = await request.app[ACCOUNTS].filters.add(known.user_id, await json_body(request))
    return json_answer({"filter_id": filter_id})


async def get_filter(request: web.Request) -> web.Response:
    """GET user/{user_id}/filter/{filter_id}"""
    known = await caller(request)
    require_self(known, request.match_info["user_id"])
    return json_answer(await request.app[ACCOUNTS].filters.find(known.user_id, request.match_info["filter_id"]))
