"""Logging in and out (spec, "Login" and "Logout")."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import Refused
from server.http.answers import json_answer
from server.http.credentials import PASSWORD, user_by_password
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, optional_field
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Login and logout."""
    doors.get("v3/login", login_flows)
    doors.post("v3/login", log_in)
    doors.post("v3/logout", log_out)
    doors.post("v3/logout/all", log_out_everywhere)


async def login_flows(_request: web.Request) -> web.Response:
    """GET login"""
    return json_answer({"flows": [{"type": PASSWORD}]})


async def log_in(request: web.Request) -> web.Response:
    """POST login"""
    body = await json_body(request)
    if field(body, "type", str) != PASSWORD:
        raise Refused("This way to log in is not offered here")
    device_id = optional_field(body, "device_id", str)
    device_name = optional_field(body, "initial_device_display_name", str)
    user = await user_by_password(request, body)
    accounts = request.app[ACCOUNTS]
    token, device_id = await accounts.create_session(user.user_id, device_id or None, device_name)
    return json_answer({
        "user_id": user.user_id,
        "access_token": token,
        "device_id": device_id,
        "home_server": accounts.server_name,
    })


async def log_out(request: web.Request) -> web.Response:
    """POST logout"""
    known = await caller(request)
    await request.app[ACCOUNTS].sessions.drop(known.user_id, [known.device_id])
    return json_answer({})


async def log_out_everywhere(request: web.Request) -> web.Response:
    """POST logout/all"""
    known = await caller(request)
    await request.app[ACCOUNTS].sessions.drop_all(known.user_id)
    return json_answer({})
