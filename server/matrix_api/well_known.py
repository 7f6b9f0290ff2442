"""Doors below ``/.well-known/matrix``: where to find this node, and whom to ask about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from server.config import Settings
from server.foundation.errors import NotFound
from server.http.answers import json_answer
from server.http.keys import SETTINGS
from server.matrix_api.voip import rtc_transports_of


async def client(request: web.Request) -> web.Response:
    """GET client: the address for clients (spec, "Well-known URI"), and where calls of many meet (MSC4143)."""
    settings = request.app[SETTINGS]
    content: dict[str, Any] = {"m.homeserver": {"base_url": settings.http.public_url}}
    transports = rtc_transports_of(settings)
    if transports:
        content["org.matrix.msc4143.rtc_foci"] = transports
    return json_answer(content)


async def server(request: web.Request) -> web.Response:
    """GET server: the address for other servers (server-server API, "Resolving server names", step 3)."""
    address = advertised_address(request.app[SETTINGS])
    if address is None:
        raise NotFound("Other servers find this node by its name alone")
    return json_answer({"m.server": address})


async def support(request: web.Request) -> web.Response:
    """GET support: whom to turn to (spec v1.10)."""
    content = support_content(request.app[SETTINGS])
    if not content:
        raise NotFound("Nobody is named whom one could turn to")
    return json_answer(content)


async def policy_server(_request: web.Request) -> web.Response:
    """GET policy_server (spec v1.18): this node judges no events of other servers."""
    raise NotFound("This is no policy server")


def advertised_address(settings: Settings) -> str | None:
    """``host:port`` for other servers; ``None`` where they shall go by the server name (port 8448), or not at all."""
    federation = settings.federation
    if not federation.enabled:
        return None
    if federation.advertised_address or federation.listen is not None:
        return federation.advertised_address or None
    url = urlsplit(settings.http.public_url)
    return f"{url.netloc.rpartition('@')[2]}{'' if url.port else ':443'}" if url.scheme == "https" else None


def support_content(settings: Settings) -> dict[str, Any]:
    """What the settings tell about support, without empty parts."""
    given = settings.support
    admin = {"matrix_id": given.admin_matrix_id, "email_address": given.admin_email}
    security = {"email_address": given.security_email}
    contacts = [
        {**{name: value for name, value in ways.items() if value}, "role": role}
        for role, ways in (("m.role.admin", admin), ("m.role.security", security)) if any(ways.values())
    ]
    return {
        **({"contacts": contacts} if contacts else {}),
        **({"support_page": given.page} if given.page else {}),
    }
