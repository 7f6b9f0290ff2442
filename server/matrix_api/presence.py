"""Presence (spec, "Presence"): asking for somebody's, setting one's own."""

from __future__ import annotations

from aiohttp import web

from server.accounts.presence import OFFLINE
from server.foundation.errors import Forbidden
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import caller, field, json_body, member, optional_field, require_self
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.rooms.membership_store import users_who_share_rooms
from server.sync.presence_news import presence_content


def add_routes(doors: Doors) -> None:
    """Reading and setting."""
    doors.get("v3/presence/{user_id}/status", get_presence)
    doors.put("v3/presence/{user_id}/status", set_presence)


async def get_presence(request: web.Request) -> web.Response:
    """GET presence/{user_id}/status: only of people with whom one shares a room."""
    who = await caller(request)
    accounts = request.app[ACCOUNTS]
    user_id = str(UserId.parse(request.match_info["user_id"]))
    presence = accounts.presence.get(user_id)
    if accounts.users.is_ours(user_id):
        await accounts.users.get(user_id)
    near = user_id == who.user_id or await users_who_share_rooms(request.app[DATABASE], [who.user_id], [user_id])
    if not near:
        raise Forbidden("You share no room with this user")
    return json_answer({"presence": OFFLINE} if presence is None else presence_content(presence))


async def set_presence(request: web.Request) -> web.Response:
    """PUT presence/{user_id}/status; where presence is not told, it is accepted and nobody hears of it."""
    known = await member(request)
    require_self(known, request.match_info["user_id"])
    body = await json_body(request)
    state, message = field(body, "presence", str), optional_field(body, "status_msg", str)
    if request.app[ROOMS].sync.presence.rules.enabled:
        request.app[ACCOUNTS].presence.set(known.user_id, known.device_id, state, message)
    return json_answer({})
