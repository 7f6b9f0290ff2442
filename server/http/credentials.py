"""Passwords at a door: login, and the confirmation of what matters (spec, "User-Interactive Authentication API")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.sessions import Caller
from server.accounts.users_store import User
from server.foundation.errors import BadRequest, Forbidden, InvalidParam, MissingParam, Refused
from server.http.keys import ACCOUNTS, INTERACTIVE_AUTH, RATE_LIMITS
from server.http.requests import field, optional_field

PASSWORD: Final = "m.login.password"  # noqa: S105 - the name of a stage
_PASSWORD_FLOWS: Final = ((PASSWORD,),)


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
    """The parameters of an operation that the caller has confirmed by password; raises ``MoreNeeded`` until then."""
    interactive = request.app[INTERACTIVE_AUTH]
    auth = optional_field(body, "auth", dict) or {}
    parameters = {name: value for name, value in body.items() if name != "auth"}
    session = interactive.session(auth, f"{request.method} {request.path} {known.user_id}", parameters)
    interactive.require_same(session, parameters)
    if auth.get("type") == PASSWORD:
        try:
            user = await user_by_password(request, auth)
        except Refused as failed:
            raise interactive.more_needed(session, _PASSWORD_FLOWS, failed) from None
        if user.user_id != known.user_id:
            raise Forbidden("This is another user's password")
        session.completed = [PASSWORD]
    interactive.require_complete(session, _PASSWORD_FLOWS)
    interactive.end(session)
    return session.parameters


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
