"""Making an account (spec, "Account registration and management")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from server.accounts.interactive_auth import DUMMY, TERMS, TOKEN, AuthSession, Demand, Flows
from server.accounts.policies import Policy
from server.foundation.errors import Forbidden, InvalidParam, LimitExceeded, MissingParam, Refused, UnknownToken
from server.http.answers import json_answer
from server.http.ghosts import APPLICATION_SERVICE, register_ghost, require_user_unreserved
from server.http.keys import ACCOUNTS, INTERACTIVE_AUTH, RATE_LIMITS, SETTINGS
from server.http.requests import field, json_body, optional_field, required_query
from server.matrix_api.login import session_fields

_FLOWS: Final[dict[str, Flows]] = {"open": ((DUMMY,),), "token": ((TOKEN,),)}
_FLOWS_WITH_TERMS: Final[dict[str, Flows]] = {"open": ((TERMS,),), "token": ((TOKEN, TERMS),)}
_TEXTS: Final = ("username", "password", "device_id", "initial_device_display_name", "guest_access_token")


async def is_available(request: web.Request) -> web.Response:
    """GET register/available"""
    _demand(request)
    users = request.app[ACCOUNTS].users
    user_id = users.user_id(required_query(request, "username"))
    require_user_unreserved(request, user_id)
    await users.require_free(user_id)
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
    body = await json_body(request)
    if body.get("type") == APPLICATION_SERVICE:
        return await _answer(request, await register_ghost(request, body), body)
    demand = _demand(request)
    session = await _session(request, body, demand)
    await _try_stage(request, session, optional_field(body, "auth", dict) or {})
    request.app[INTERACTIVE_AUTH].require_complete(session)
    if session.result is None:
        session.result = await _create(request, session)
    return await _answer(request, session.result, session.parameters)


def _demand(request: web.Request) -> Demand:
    settings = request.app[SETTINGS]
    policies = request.app[ACCOUNTS].consents.policies
    if settings.registration.mode not in _FLOWS:
        raise Forbidden("Registration is closed here")
    if not policies:
        return Demand("register", _FLOWS[settings.registration.mode])
    params = {TERMS: {"policies": policies_as_json(policies, settings.http.public_url)}}
    return Demand("register", _FLOWS_WITH_TERMS[settings.registration.mode], params=params)


def policies_as_json(policies: Sequence[Policy], public_url: str) -> dict[str, Any]:
    """Texts as the stage ``m.login.terms`` shows them: by name, the version, and title and address by language."""
    return {
        policy.name: {"version": policy.version, **{
            language: {"name": text.title, "url": f"{public_url}/terms/{policy.name}/{policy.version}/{language}"}
            for language, text in policy.texts.items()
        }}
        for policy in policies
    }


async def _session(request: web.Request, body: dict[str, Any], demand: Demand) -> AuthSession:
    """The registration that this request goes on with. Its parameters may be completed from step to step."""
    parameters = {name: value for name, value in body.items() if name != "auth"}
    for name in _TEXTS:
        optional_field(parameters, name, str)
    for name in ("inhibit_login", "refresh_token"):
        optional_field(parameters, name, bool)
    auth = optional_field(body, "auth", dict) or {}
    session = request.app[INTERACTIVE_AUTH].session(auth, demand, parameters)
    session.parameters = {**session.parameters, **parameters}
    username, users = session.parameters.get("username"), request.app[ACCOUNTS].users
    if session.result is not None:
        return session
    if session.parameters.get("password") is not None:
        users.passwords.require_good(session.parameters["password"])
    if session.parameters.get("guest_access_token") is not None:
        await _guest_who_stays(request, session)
    elif username is not None:
        require_user_unreserved(request, users.user_id(username))
        await users.require_free(users.user_id(username))
    return session


async def _guest_who_stays(request: web.Request, session: AuthSession) -> str:
    """The guest whose token it is, if it is their own name that they want; raises ``Forbidden``."""
    accounts = request.app[ACCOUNTS]
    try:
        guest = await accounts.sessions.find(session.parameters["guest_access_token"])
    except UnknownToken:
        raise Forbidden("This is not the token of a guest") from None
    name = session.parameters.get("username")
    if not guest.is_guest or name is None or accounts.users.user_id(name) != guest.user_id:
        raise Forbidden("Guests can only keep the name that they have")
    return guest.user_id


async def _try_stage(request: web.Request, session: AuthSession, auth: dict[str, Any]) -> None:
    stage = auth.get("type")
    if stage is None or stage in session.completed:
        return
    interactive = request.app[INTERACTIVE_AUTH]
    if not session.demand.has_stage(stage):
        raise interactive.more_needed(session, Refused("This stage is not offered here"))
    if stage == TOKEN:
        try:
            session.found["token"] = await good_token(request, field(auth, "token", str))
        except LimitExceeded:
            raise
        except Refused as failed:
            raise interactive.more_needed(session, failed) from None
    session.complete(stage)


async def good_token(request: web.Request, token: str) -> str:
    """A registration token that is good now; raises ``Forbidden``, and ``LimitExceeded`` after many wrong ones."""
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
    accounts = request.app[ACCOUNTS]
    consents = TERMS in session.completed
    if session.parameters.get("guest_access_token") is not None:
        return await accounts.keep_guest(await _guest_who_stays(request, session), password, consents=consents)
    return await accounts.create_user(
        session.parameters.get("username"), password, registration_token=session.found.get("token"), consents=consents
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
    answer: dict[str, Any] = {"user_id": user_id, "home_server": accounts.server_name}
    if not parameters.get("inhibit_login"):
        answer |= session_fields(await accounts.log_in(
            user_id, parameters.get("device_id") or None, parameters.get("initial_device_display_name"),
            renewable=parameters.get("refresh_token") is True,
        ))
    return json_answer(answer)
