"""Making an account (spec, "Account registration and management")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.interactive_auth import AuthSession, Flows
from server.foundation.errors import Forbidden, InvalidParam, MissingParam, Refused
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, INTERACTIVE_AUTH, RATE_LIMITS, SETTINGS
from server.http.requests import field, json_body, optional_field, required_query
from server.http.routes import Doors

_DUMMY: Final = "m.login.dummy"
_TOKEN: Final = "m.login.registration_token"  # noqa: S105 - the name of a stage
_FLOWS: Final[dict[str, Flows]] = {"open": ((_DUMMY,),), "token": ((_TOKEN,),)}


def add_routes(doors: Doors) -> None:
    """Registration and the two questions before it."""
    doors.post("v3/register", register)
    doors.get("v3/register/available", is_available)
    doors.get("v1/register/m.login.registration_token/validity", token_validity)


async def is_available(request: web.Request) -> web.Response:
    """GET register/available"""
    _flows(request)
    users = request.app[ACCOUNTS].users
    await users.require_free(users.user_id(required_query(request, "username")))
    return json_answer({"available": True})


async def token_validity(request: web.Request) -> web.Response:
    """GET register/m.login.registration_token/validity; guesses are counted."""
    limits = request.app[RATE_LIMITS]
    limits.attempts.check(limits.address(request))
    valid = await request.app[ACCOUNTS].users.may_register(required_query(request, "token"))
    if not valid:
        limits.attempts.take(limits.address(request))
    return json_answer({"valid": valid})


async def register(request: web.Request) -> web.Response:
    """POST register"""
    kind = request.query.get("kind", "user")
    if kind == "guest":
        return await _register_guest(request)
    if kind != "user":
        raise InvalidParam("kind is user or guest")
    flows = _flows(request)
    body = await json_body(request)
    session = await _session(request, body)
    await _try_stage(request, session, optional_field(body, "auth", dict) or {}, flows)
    request.app[INTERACTIVE_AUTH].require_complete(session, flows)
    if session.result is None:
        session.result = await _create(request, session)
    return await _answer(request, session.result, session.parameters)


def _flows(request: web.Request) -> Flows:
    mode = request.app[SETTINGS].registration.mode
    if mode not in _FLOWS:
        raise Forbidden("Registration is closed here")
    return _FLOWS[mode]


async def _session(request: web.Request, body: dict[str, Any]) -> AuthSession:
    """The registration that this request goes on with. Its parameters may be completed from step to step."""
    parameters = {name: value for name, value in body.items() if name != "auth"}
    for name in ("username", "password", "device_id", "initial_device_display_name"):
        optional_field(parameters, name, str)
    optional_field(parameters, "inhibit_login", bool)
    auth = optional_field(body, "auth", dict) or {}
    session = request.app[INTERACTIVE_AUTH].session(auth, "register", parameters)
    session.parameters = {**session.parameters, **parameters}
    username = session.parameters.get("username")
    if username is not None and session.result is None:
        users = request.app[ACCOUNTS].users
        await users.require_free(users.user_id(username))
    return session


async def _try_stage(request: web.Request, session: AuthSession, auth: dict[str, Any], flows: Flows) -> None:
    stage = auth.get("type")
    if stage is None or stage in session.completed:
        return
    interactive = request.app[INTERACTIVE_AUTH]
    if not any(stage in flow for flow in flows):
        raise interactive.more_needed(session, flows, Refused("This stage is not offered here"))
    if stage == _TOKEN:
        try:
            session.found["token"] = await _good_token(request, auth)
        except Refused as failed:
            raise interactive.more_needed(session, flows, failed) from None
    session.completed.append(stage)


async def _good_token(request: web.Request, auth: dict[str, Any]) -> str:
    token = field(auth, "token", str)
    limits = request.app[RATE_LIMITS]
    limits.attempts.check(limits.address(request))
    if not await request.app[ACCOUNTS].users.may_register(token):
        limits.attempts.take(limits.address(request))
        raise Forbidden("This registration token is not valid")
    return token


async def _create(request: web.Request, session: AuthSession) -> str:
    password = session.parameters.get("password")
    if password is None:
        raise MissingParam("password is missing")
    limits = request.app[RATE_LIMITS]
    limits.registrations.take(limits.address(request))
    return await request.app[ACCOUNTS].create_user(
        session.parameters.get("username"), password, registration_token=session.found.get("token")
    )


async def _register_guest(request: web.Request) -> web.Response:
    if not request.app[SETTINGS].registration.allow_guests:
        raise Forbidden("Guests are not admitted here", code="M_GUEST_ACCESS_FORBIDDEN")
    body = await json_body(request)
    limits = request.app[RATE_LIMITS]
    limits.registrations.take(limits.address(request))
    user_id = await request.app[ACCOUNTS].create_user(None, guest=True)
    name = optional_field(body, "initial_device_display_name", str)
    return await _answer(request, user_id, {"initial_device_display_name": name})


async def _answer(request: web.Request, user_id: str, parameters: dict[str, Any]) -> web.Response:
    accounts = request.app[ACCOUNTS]
    answer = {"user_id": user_id, "home_server": accounts.server_name}
    if not parameters.get("inhibit_login"):
        answer["access_token"], answer["device_id"] = await accounts.create_session(
            user_id, parameters.get("device_id") or None, parameters.get("initial_device_display_name")
        )
    return json_answer(answer)
