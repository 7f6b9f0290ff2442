"""Reading requests strictly: who calls, and what they say (DESIGN rule 9)."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.canonical_json import parse_json
from server.foundation.errors import (
    BadRequest,
    Forbidden,
    InvalidParam,
    Locked,
    MissingParam,
    MissingToken,
    Suspended,
    TooLarge,
)
from server.http.arriving import next_piece
from server.http.keys import ACCOUNTS, APPLICATION_SERVICES, RATE_LIMITS, SETTINGS

MAX_BODY_BYTES: Final = 1024 * 1024


async def caller(request: web.Request) -> Caller:
    """Who sends this request; raises ``MissingToken``, ``UnknownToken`` or ``Locked``. A token in use costs no SQL."""
    known = await caller_even_locked(request)
    if known.is_locked:
        raise Locked
    return known


async def caller_even_locked(request: web.Request) -> Caller:
    """Like ``caller``, for logging out, which a locked account may (spec, "Account locking")."""
    sessions = request.app[ACCOUNTS].sessions
    token = access_token(request)
    known = sessions.known(token) or await _application_service(request, token) or await sessions.find(token)
    if not known.is_unlimited:
        request.app[RATE_LIMITS].requests.take(known.user_id)
    last_seen = request.app[ACCOUNTS].last_seen
    if known.service is None and last_seen.is_due(known):
        last_seen.note(known, request.app[RATE_LIMITS].address(request))
    return known


async def speaker(request: web.Request) -> Caller:
    """Like ``caller``, for what suspended people may not do: sending, joining, inviting, changing their profile.

    Raises ``Suspended``; ``M_CONSENT_NOT_GIVEN`` where a text of the association waits for a yes.
    """
    known = await caller(request)
    require_may_speak(request, known)
    return known


def require_may_speak(request: web.Request, known: Caller) -> None:
    """Raise what ``speaker`` refuses."""
    if known.is_suspended:
        raise Suspended
    if known.owes_consent:
        where = f"{request.app[SETTINGS].http.public_url}/terms"
        raise Forbidden(
            f"Please read and accept the terms first: {where}", code="M_CONSENT_NOT_GIVEN", extra={"consent_uri": where}
        )


async def _application_service(request: web.Request, token: str) -> Caller | None:
    """Whom an application service acts for, where the token is one of an application service."""
    services = request.app.get(APPLICATION_SERVICES)
    service = services.with_token(token) if services is not None else None
    return await services.caller(service, request.query) if services is not None and service else None


def take_message(request: web.Request, known: Caller) -> None:
    """Count a message of the caller's; raises ``LimitExceeded``."""
    if not known.is_unlimited:
        request.app[RATE_LIMITS].messages.take(known.user_id)


async def member(request: web.Request) -> Caller:
    """Like ``caller``, but guests are refused (spec, "Guest Access")."""
    return _no_guest(await caller(request))


async def speaking_member(request: web.Request) -> Caller:
    """Like ``speaker``, but guests are refused."""
    return _no_guest(await speaker(request))


def _no_guest(known: Caller) -> Caller:
    if known.is_guest:
        raise Forbidden("Guests may not do this", code="M_GUEST_ACCESS_FORBIDDEN")
    return known


def access_token(request: web.Request) -> str:
    """The token of a request, from the header or (old clients) the query; raises ``MissingToken``."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "bearer" and token:
            return token.strip()
    token = request.query.get("access_token", "")
    if not token:
        raise MissingToken("Missing access token")
    return token


async def json_body(request: web.Request, *, limit: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The JSON object that the request carries. An empty body of POST is ``{}``.

    Raises ``M_NOT_JSON``, ``M_BAD_JSON`` (no object) or ``M_TOO_LARGE`` (more than ``limit`` bytes).
    """
    data = await body_bytes(request, limit)
    if not data and request.method in ("POST", "DELETE"):
        return {}
    value = parse_json(data)
    if not isinstance(value, dict):
        raise BadRequest("The request must be a JSON object")
    return value


async def body_bytes(request: web.Request, limit: int) -> bytes:
    """All bytes of the body, at most ``limit``; raises ``TooLarge`` without having read the rest."""
    announced = request.content_length
    if announced is not None and announced > limit:
        raise TooLarge(f"The request is larger than {limit} bytes")
    data = bytearray()
    while True:
        piece = await next_piece(request.content)
        if not piece:
            return bytes(data)
        data += piece
        if len(data) > limit:
            raise TooLarge(f"The request is larger than {limit} bytes")


def required_query(request: web.Request, name: str) -> str:
    """A text of the query; raises ``MissingParam``."""
    value = request.query.get(name)
    if value is None:
        raise MissingParam(f"The parameter {name} is missing")
    return value


def int_query(request: web.Request, name: str, default: int, *, least: int = 0, most: int = 2**53 - 1) -> int:
    """A whole number of the query; raises ``InvalidParam`` outside of ``least`` … ``most``."""
    value = request.query.get(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise InvalidParam(f"The parameter {name} must be a whole number") from None
    if not least <= number <= most:
        raise InvalidParam(f"The parameter {name} must be from {least} to {most}")
    return number


def bool_query(request: web.Request, name: str, *, default: bool = False) -> bool:
    """``true`` or ``false`` of the query; raises ``InvalidParam``."""
    value = request.query.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise InvalidParam(f"The parameter {name} must be true or false")
    return value == "true"


T = TypeVar("T")

_NAMES: Final[dict[type, str]] = {str: "text", int: "whole number", bool: "true or false", dict: "object", list: "list"}


def optional_field(body: dict[str, Any], name: str, kind: type[T]) -> T | None:
    """``body[name]`` if it is there and not null; raises ``BadRequest`` where it is of another kind."""
    value = body.get(name)
    if value is not None and type(value) is not kind:
        raise BadRequest(f"{name} must be: {_NAMES[kind]}")
    return value


def field(body: dict[str, Any], name: str, kind: type[T]) -> T:
    """``body[name]``; raises ``MissingParam`` or ``BadRequest``."""
    value = optional_field(body, name, kind)
    if value is None:
        raise MissingParam(f"{name} is missing")
    return value


def require_self(known: Caller, user_id: str) -> None:
    """Raise ``Forbidden`` unless the path speaks of the caller's own account."""
    if user_id != known.user_id:
        raise Forbidden("This belongs to somebody else")
