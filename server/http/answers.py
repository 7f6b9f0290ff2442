"""Answers in Matrix's JSON, and the one place where a refusal becomes HTTP (DESIGN rule 8)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import web

from server.foundation.errors import LimitExceeded, Refused, TooLarge

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Spec, "Web Browser Clients": on every answer, refusals too.
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization, Date",
    "Access-Control-Expose-Headers": "Retry-After",
}


def json_answer(value: Any, status: int = 200) -> web.Response:
    """``value`` as a JSON answer. ``orjson.Fragment`` inside goes out as it is."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def refusal_answer(refusal: Refused) -> web.Response:
    """The standard error object. A refusal without a code (the first 401 of user-interactive auth) has no errcode."""
    body = {"errcode": refusal.code, "error": refusal.reason, **refusal.extra} if refusal.code else refusal.extra
    answer = json_answer(body, refusal.status)
    if isinstance(refusal, LimitExceeded):
        answer.headers["Retry-After"] = str(-(-refusal.retry_after_ms // 1000))
    return answer


def answer_refusals(handler: Handler) -> Handler:
    """``handler``, with every exception turned into a Matrix answer."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            if refusal.detail:
                logger.info("refused %s: %s (%s)", _door_name(handler), refusal.reason, refusal.detail)
            return refusal_answer(refusal)
        except web.HTTPRequestEntityTooLarge:
            return refusal_answer(TooLarge("The request is too large"))
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as fault:
            # The message of an exception may quote what a person wrote; where it happened does not.
            where = "".join(traceback.format_tb(fault.__traceback__))
            logger.error("%s failed: %s\n%s", _door_name(handler), type(fault).__name__, where)
            return refusal_answer(Refused("The node has made a mistake; it is in its log", status=500))

    return answered


def _door_name(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__name__', '?')}"
