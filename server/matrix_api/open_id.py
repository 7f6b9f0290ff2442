"""Proving to a third party who one is (spec, "OpenID")."""

from __future__ import annotations

from aiohttp import web

from server.accounts.open_id import LIFETIME_S
from server.foundation.errors import MissingToken
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import json_body, member, require_self


async def request_token(request: web.Request) -> web.Response:
    """POST user/{user_id}/openid/request_token"""
    known = await member(request)
    require_self(known, request.match_info["user_id"])
    await json_body(request)
    accounts = request.app[ACCOUNTS]
    return json_answer({
        "access_token": accounts.open_id.issue(known.user_id), "token_type": "Bearer", "expires_in": LIFETIME_S,
        "matrix_server_name": accounts.server_name,
    })


async def userinfo(request: web.Request) -> web.Response:
    """GET /_matrix/federation/v1/openid/userinfo"""
    token = request.query.get("access_token")
    if not token:
        raise MissingToken("Missing access token")
    return json_answer({"sub": request.app[ACCOUNTS].open_id.owner(token)})
