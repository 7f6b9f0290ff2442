"""Presence (spec, "Presence"): what people set themselves. It is not sent around in /sync."""

from __future__ import annotations

from aiohttp import web

from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, member, optional_field, require_self
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Reading and setting."""
    doors.get("v3/presence/{user_id}/status", get_presence)
    doors.put("v3/presence/{user_id}/status", set_presence)


async def get_presence(request: web.Request) -> web.Response:
    """GET presence/{user_id}/status"""
    await caller(request)
    accounts = request.app[ACCOUNTS]
    user_id = str(UserId.parse(request.match_info["user_id"]))
    await accounts.users.get(user_id)
    presence = accounts.presence.get(user_id)
    if presence is None:
        return json_answer({"presence": "offline"})
    shown = {"presence": presence.state, "last_active_ago": accounts.presence.idle_ms(presence)}
    return json_answer(shown if presence.message is None else {**shown, "status_msg": presence.message})


async def set_presence(request: web.Request) -> web.Response:
    """PUT presence/{user_id}/status"""
    known = await member(request)
    require_self(known, request.match_info["user_id"])
    body = await json_body(request)
    message = optional_field(body, "status_msg", str)
    request.app[ACCOUNTS].presence.set(known.user_id, field(body, "presence", str), message)
    return json_answer({})
