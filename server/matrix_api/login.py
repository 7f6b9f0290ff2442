"""Logging in and out (spec, "Login" and "Logout")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.interactive_auth import PASSWORD
from server.accounts.tokens import NewSession
from server.foundation.errors import Forbidden, Refused
from server.http.answers import json_answer
from server.http.credentials import user_by_password
from server.http.ghosts import APPLICATION_SERVICE, ghost_named
from server.http.keys import ACCOUNTS, APPLICATION_SERVICES, RATE_LIMITS
from server.http.requests import caller_even_locked, field, json_body, optional_field
from server.http.routes import Doors

TOKEN: Final = "m.login.token"  # noqa: S105 - the name of a way to log in


def add_routes(doors: Doors) -> None:
    """Login and logout."""
    doors.get("v3/login", login_flows)
    doors.post("v3/login", log_in)
    doors.post("v3/logout", log_out)
    doors.post("v3/logout/all", log_out_everywhere)


async def login_flows(request: web.Request) -> web.Response:
    """GET login"""
    ghosts = [{"type": APPLICATION_SERVICE}] if APPLICATION_SERVICES in request.app else []
    return json_answer({"flows": [{"type": PASSWORD}, {"type": TOKEN, "get_login_token": True}, *ghosts]})


async def log_in(request: web.Request) -> web.Response:
    """POST login"""
    body = await json_body(request)
    kind = field(body, "type", str)
    if kind not in (PASSWORD, TOKEN, APPLICATION_SERVICE):
        raise Refused("This way to log in is not offered here")
    device_id = optional_field(body, "device_id", str)
    device_name = optional_field(body, "initial_device_display_name", str)
    renewable = optional_field(body, "refresh_token", bool) is True
    if kind == PASSWORD:
        user_id = (await user_by_password(request, body)).user_id
    elif kind == APPLICATION_SERVICE:
        user_id = ghost_named(request, body)
    else:
        user_id = _user_by_token(request, field(body, "token", str))
    accounts = request.app[ACCOUNTS]
    session = await accounts.log_in(user_id, device_id or None, device_name, renewable=renewable)
    return json_answer({"user_id": user_id, "home_server": accounts.server_name, **session_fields(session)})


async def log_out(request: web.Request) -> web.Response:
    """POST logout"""
    known = await caller_even_locked(request)
    await request.app[ACCOUNTS].sessions.drop(known.user_id, [known.device_id])
    return json_answer({})


async def log_out_everywhere(request: web.Request) -> web.Response:
    """POST logout/all"""
    known = await caller_even_locked(request)
    await request.app[ACCOUNTS].sessions.drop_all(known.user_id)
    return json_answer({})


def session_fields(session: NewSession) -> dict[str, Any]:
    """What a client is told of a new session."""
    fields: dict[str, Any] = {"access_token": session.access_token, "device_id": session.device_id}
    return {**fields, **renewal_fields(session)}


def renewal_fields(session: NewSession) -> dict[str, Any]:
    """How a client goes on when its access token comes to its end."""
    fields: dict[str, Any] = {}
    if session.refresh_token is not None:
        fields["refresh_token"] = session.refresh_token
    if session.expires_in_ms is not None:
        fields["expires_in_ms"] = session.expires_in_ms
    return fields


def _user_by_token(request: web.Request, token: str) -> str:
    """Whose token this is; raises ``Forbidden``, and ``LimitExceeded`` after many wrong ones."""
    limits = request.app[RATE_LIMITS]
    limits.attempts.check(limits.address(request))
    try:
        return request.app[ACCOUNTS].login_tokens.spend(token)
    except Forbidden:
        limits.attempts.count(limits.address(request))
        raise
