"""Where application services meet the doors of accounts and aliases: ghosts, and names that are reserved.

Without application services all of this costs one look at the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import MissingParam, Refused
from server.http.keys import APPLICATION_SERVICES
from server.http.requests import access_token, optional_field

if TYPE_CHECKING:
    from server.application_services.services import ApplicationServices

APPLICATION_SERVICE: Final = "m.login.application_service"


async def register_ghost(request: web.Request, body: dict[str, Any]) -> str:
    """Make the user whom an application service names, and answer its id (spec, "Server admin style permissions")."""
    token = access_token(request)
    services = _services(request)
    name = optional_field(body, "username", str) or optional_field(body, "user", str)
    if name is None:
        raise MissingParam("username is missing")
    return await services.names.register(services.require_token(token), name)


def ghost_named(request: web.Request, body: dict[str, Any]) -> str:
    """The user whom an application service logs in."""
    token = access_token(request)
    services = _services(request)
    identifier = optional_field(body, "identifier", dict) or {}
    name = identifier.get("user") or optional_field(body, "user", str)
    if not isinstance(name, str):
        raise MissingParam("identifier is missing")
    return services.names.ghost(services.require_token(token), name)


def is_ghost(request: web.Request, who: Caller) -> bool:
    """Whether an application service acts for a user that is nobody's but its own: its sender, or one whose name is
    kept for it. Residents whom a bridge may speak as (double puppets) are not; what is theirs only they confirm.
    """
    services = request.app.get(APPLICATION_SERVICES)
    if services is None or who.service is None:
        return False
    service = services.require_service(who.service)
    return who.user_id == service.user_id or service.reserves_user(who.user_id)


def require_user_unreserved(request: web.Request, user_id: str) -> None:
    """Raise ``M_EXCLUSIVE`` where only an application service may make this user."""
    services = request.app.get(APPLICATION_SERVICES)
    if services is not None:
        services.names.require_user_unreserved(user_id)


def require_alias_allowed(request: web.Request, alias: str, who: Caller) -> None:
    """Raise ``M_EXCLUSIVE`` where the caller may not give a room this name."""
    services = request.app.get(APPLICATION_SERVICES)
    if services is not None:
        services.names.require_alias_allowed(alias, who.service)


async def make_device(request: web.Request, who: Caller, device_id: str, name: str | None) -> bool:
    """Make a device that an application service names, unless it is there; answers whether it was made (MSC4190)."""
    services = request.app.get(APPLICATION_SERVICES)
    return services is not None and await services.callers.make_device(who, device_id, name)


def _services(request: web.Request) -> ApplicationServices:
    services = request.app.get(APPLICATION_SERVICES)
    if services is None:
        raise Refused("There are no application services here", code="M_UNKNOWN")
    return services
