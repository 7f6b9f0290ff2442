"""Renewing an access token (spec, "Refreshing access tokens"), and a login for one more device ("Login": get_token)."""

from __future__ import annotations

from aiohttp import web

from server.accounts.login_tokens import LIFETIME_MS
from server.foundation.errors import UnknownToken
from server.http.answers import json_answer
from server.http.credentials import confirmed
from server.http.keys import ACCOUNTS, RATE_LIMITS
from server.http.requests import field, json_body, member
from server.matrix_api.login import renewal_fields


async def refresh(request: web.Request) -> web.Response:
    """POST refresh; wrong tokens are counted."""
    token = field(await json_body(request), "refresh_token", str)
    limits = request.app[RATE_LIMITS]
    limits.attempts.check(limits.address(request))
    try:
        session = await request.app[ACCOUNTS].renew(token)
    except UnknownToken:
        limits.attempts.count(limits.address(request))
        raise
    return json_answer({"access_token": session.access_token, **renewal_fields(session)})


async def get_login_token(request: web.Request) -> web.Response:
    """POST login/get_token"""
    known = await member(request)
    limits = request.app[RATE_LIMITS].login_tokens
    limits.check(known.user_id)
    await confirmed(request, known, await json_body(request))
    limits.take(known.user_id)
    token = request.app[ACCOUNTS].login_tokens.issue(known.user_id)
    return json_answer({"login_token": token, "expires_in_ms": LIFETIME_MS})
