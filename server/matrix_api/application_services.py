"""Doors that only application services use (spec: "Application service room directory management", "Pinging")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from server.foundation.errors import Forbidden
from server.http.answers import json_answer
from server.http.keys import APPLICATION_SERVICES
from server.http.requests import caller, field, json_body, optional_field

if TYPE_CHECKING:
    from server.application_services.service import Service
    from server.application_services.services import ApplicationServices


async def set_listed(request: web.Request) -> web.Response:
    """PUT directory/list/appservice/{networkId}/{roomId}: put a room into the service's own list, or take it out."""
    services, service = await _calling(request)
    path = request.match_info
    visibility = field(await json_body(request), "visibility", str)
    await services.room_lists.set(service.id, path["networkId"], path["roomId"], visibility)
    return json_answer({})


async def ping(request: web.Request) -> web.Response:
    """POST appservice/{appserviceId}/ping: whether the node can reach the service."""
    services, service = await _calling(request)
    if request.match_info["appserviceId"] != service.id:
        raise Forbidden("This is not the token of that application service")
    txn_id = optional_field(await json_body(request), "transaction_id", str)
    return json_answer({"duration_ms": await services.ping(service, txn_id)})


async def _calling(request: web.Request) -> tuple[ApplicationServices, Service]:
    who = await caller(request)
    services = request.app.get(APPLICATION_SERVICES)
    if services is None:
        raise Forbidden("Only an application service may do this")
    return services, services.require_service(who.service)
