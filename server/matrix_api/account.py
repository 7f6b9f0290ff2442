"""One's own account (spec, "Account registration and management")."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.credentials import confirmed
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, member, optional_field
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Who am I, password, deactivation."""
    doors.get("v3/account/whoami", who_am_i)
    doors.post("v3/account/password", change_password)
    doors.post("v3/account/deactivate", deactivate)


async def who_am_i(request: web.Request) -> web.Response:
    """GET account/whoami"""
    known = await caller(request)
    device = {"device_id": known.device_id} if known.device_id else {}
    return json_answer({"user_id": known.user_id, **device, "is_guest": known.is_guest})


async def change_password(request: web.Request) -> web.Response:
    """POST account/password"""
    known = await member(request)
    parameters = await confirmed(request, known, await json_body(request))
    log_out = optional_field(parameters, "logout_devices", bool)
    await request.app[ACCOUNTS].set_password(
        known.user_id, field(parameters, "new_password", str), log_out=log_out is not False, but=known.device_id
    )
    return json_answer({})


async def deactivate(request: web.Request) -> web.Response:
    """POST account/deactivate"""
    known = await member(request)
    parameters = await confirmed(request, known, await json_body(request))
    erase = optional_field(parameters, "erase", bool)
    await request.app[ACCOUNTS].deactivate(known.user_id, erase=erase is True)
    return json_answer({"id_server_unbind_result": "no-support"})
