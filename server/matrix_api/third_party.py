"""Doors: what the networks behind application services offer (spec: "Third-party lookups")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from server.foundation.errors import NotFound
from server.http.answers import json_answer
from server.http.keys import APPLICATION_SERVICES
from server.http.requests import member, required_query

# What a query says to this node and not to an application service.
_OURS: Final = ("access_token", "user_id", "device_id", "org.matrix.msc3202.device_id")

Read = Callable[[web.Request], dict[str, str]]


async def protocols(request: web.Request) -> web.Response:
    """GET thirdparty/protocols: all networks that can be asked."""
    await member(request)
    services = request.app.get(APPLICATION_SERVICES)
    return json_answer({} if services is None else await services.third_parties.protocols())


async def protocol(request: web.Request) -> web.Response:
    """GET thirdparty/protocol/{protocol}: one of them."""
    await member(request)
    services = request.app.get(APPLICATION_SERVICES)
    name = request.match_info["protocol"]
    found = None if services is None else await services.third_parties.protocol(name)
    if found is None:
        raise NotFound("No such network can be asked here")
    return json_answer(found)


async def locations(request: web.Request) -> web.Response:
    """GET thirdparty/location/{protocol}: rooms here that lead to a place there."""
    return await _find(request, "location", request.match_info["protocol"], _fields)


async def users(request: web.Request) -> web.Response:
    """GET thirdparty/user/{protocol}: users here who stand for somebody there."""
    return await _find(request, "user", request.match_info["protocol"], _fields)


async def locations_of_alias(request: web.Request) -> web.Response:
    """GET thirdparty/location: the places to which a room here leads."""
    return await _find(request, "location", None, lambda asked: {"alias": required_query(asked, "alias")})


async def users_of_id(request: web.Request) -> web.Response:
    """GET thirdparty/user: for whom a user here stands."""
    return await _find(request, "user", None, lambda asked: {"userid": required_query(asked, "userid")})


async def _find(request: web.Request, kind: str, name: str | None, read: Read) -> web.Response:
    await member(request)
    query = read(request)
    services = request.app.get(APPLICATION_SERVICES)
    found: list[Any] = [] if services is None else await services.third_parties.find(kind, name, query)
    if not found:
        raise NotFound("Nothing was found")
    return json_answer(found)


def _fields(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.query.items() if name not in _OURS}
