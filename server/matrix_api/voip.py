"""Doors: what a call needs (spec, "Voice over IP"; MSC4143 for calls of many)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from aiohttp import hdrs, web

from server.config import Settings
from server.foundation.errors import Refused
from server.http.answers import json_answer
from server.http.keys import CLOCK, SETTINGS
from server.http.requests import caller


async def turn_server(request: web.Request) -> web.Response:
    """GET voip/turnServer: credentials for the relay, or ``{}`` where there is none (for this caller)."""
    who = await caller(request)
    turn = request.app[SETTINGS].turn
    if not turn.uris or (who.is_guest and not turn.allow_guests):
        return json_answer({})
    expires_s = request.app[CLOCK].now_ms() // 1000 + turn.lifetime_s
    username, password = relay_credentials(turn.shared_secret, who.user_id, expires_s)
    return json_answer({"username": username, "password": password, "uris": turn.uris, "ttl": turn.lifetime_s})


async def rtc_transports(request: web.Request) -> web.Response:
    """GET rtc/transports (MSC4143): where calls of many meet.

    Clients are known to ask without a token, and the same stands in the public well-known file; a wrong token is
    refused all the same. A node without such a service does not know the path, so that clients say so at once.
    """
    if hdrs.AUTHORIZATION in request.headers:
        await caller(request)
    transports = rtc_transports_of(request.app[SETTINGS])
    if not transports:
        raise Refused("There is no service for calls of many here", code="M_UNRECOGNIZED", status=404)
    return json_answer({"rtc_transports": transports})


def relay_credentials(shared_secret: str, user_id: str, expires_s: int) -> tuple[str, str]:
    """User name and password that a relay accepts until ``expires_s`` (seconds since 1970).

    The "TURN REST API" (draft-uberti-behave-turn-rest-00): the password is the HMAC-SHA1 of the user name.
    """
    username = f"{expires_s}:{user_id}"
    digest = hmac.new(shared_secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def rtc_transports_of(settings: Settings) -> list[dict[str, Any]]:
    """The transports that the settings name; none for most nodes."""
    url = settings.rtc.livekit_service_url
    return [{"type": "livekit", "livekit_service_url": url}] if url else []
