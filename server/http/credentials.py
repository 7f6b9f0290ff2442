"""Passwords at a door: login, and the confirmation of what matters (spec, "User-Interactive Authentication API")."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.accounts.interactive_auth import PASSWORD, WEB, AuthSession, Demand
from server.accounts.sessions import Caller
from server.accounts.users_store import User
from server.foundation.errors import BadRequest, Forbidden, InvalidParam, LimitExceeded, MissingParam, Refused
from server.http.ghosts import is_ghost
from server.http.keys import ACCOUNTS, INTERACTIVE_AUTH, RATE_LIMITS
from server.http.requests import field, optional_field


async def user_by_password(request: web.Request, body: dict[str, Any]) -> User:
    """The user whose name and password ``body`` gives; raises ``Forbidden``, and ``LimitExceeded`` after many tries."""
    user_id = _user_named(request, body)
    password = field(body, "password", str)
    limits, users = request.app[RATE_LIMITS], request.app[ACCOUNTS].users
    user = await limits.logins.authenticate(users, user_id, password, limits.address(request))
    if user is None:
        raise Forbidden("Wrong user name or password")
    return user


async def confirmed(request: web.Request, known: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an operation that the caller has confirmed; raises ``MoreNeeded`` until then.

    By password, or on the node's own pages, which is the only way for people who came in by an invitation and have no
    password (docs/decisions/0011). An application service need not confirm what it does for its sender and its ghosts
    (spec, "Application services: using the User-Interactive Authentication API").
    """
    auth = optional_field(body, "auth", dict) or {}
    parameters = {name: value for name, value in body.items() if name != "auth"}
    if is_ghost(request, known):
        return parameters
    interactive = request.app[INTERACTIVE_AUTH]
    session = interactive.session(auth, await _demand(request, known), parameters)
    interactive.require_same(session, parameters)
    stage = auth.get("type")
    if stage is not None and stage not in session.completed:
        await _try_stage(request, known, session, auth)
    interactive.require_complete(session)
    interactive.end(session)
    return session.parameters


async def _demand(request: web.Request, known: Caller) -> Demand:
    user = await request.app[ACCOUNTS].users.get(known.user_id)
    flows = ((WEB,),) if user.password is None else ((PASSWORD,), (WEB,))
    return Demand(f"{request.method} {request.path}", flows, known.user_id)


async def _try_stage(request: web.Request, known: Caller, session: AuthSession, auth: dict[str, Any]) -> None:
    interactive = request.app[INTERACTIVE_AUTH]
    if auth["type"] != PASSWORD:
        reason = "Please confirm in the browser" if auth["type"] == WEB else "This stage is not offered here"
        raise interactive.more_needed(session, Forbidden(reason))
    try:
        user = await user_by_password(request, auth)
    except LimitExceeded:
        raise
    except Refused as failed:
        raise interactive.more_needed(session, failed) from None
    if user.user_id != known.user_id:
        raise Forbidden("This is another user's password")
    session.complete(PASSWORD)


def _user_named(request: web.Request, body: dict[str, Any]) -> str:
    """By ``identifier`` of type ``m.id.user``, or by the old field ``user``."""
    identifier = optional_field(body, "identifier", dict)
    if identifier is None:
        name = optional_field(body, "user", str)
        if name is None:
            raise MissingParam("identifier is missing")
    else:
        if identifier.get("type") != "m.id.user":
            raise Refused("Users are named by m.id.user here", code="M_UNKNOWN")
        name = identifier.get("user")
    if not isinstance(name, str):
        raise BadRequest("The user name must be a text")
    try:
        return request.app[ACCOUNTS].users.named(name)
    except InvalidParam:
        raise Forbidden("Wrong user name or password") from None
