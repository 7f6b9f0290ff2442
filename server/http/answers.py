"""Answers in Matrix's JSON, and the one place where a refusal becomes HTTP (DESIGN rule 8)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import web

from server.foundation.errors import Refused, TooLarge

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Spec, "Web Browser Clients": on every answer, refusals too.
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization, Date",
    "Access-Control-Expose-Headers": "Retry-After",
}


class ForgetfulResponse(web.Response):
    """JSON bytes that are let go as soon as they are written.

    aiohttp keeps a connection's last response until the next one is ready. For a phone that waits on ``/sync`` that is
    half a minute, and for 1,500 of them, after a burst of messages, a gigabyte.
    """

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__(body=body, status=status, content_type="application/json")

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the rest, and forget it."""
        await super().write_eof(data)
        self._body = None


def json_answer(value: Any, status: int = 200) -> web.Response:
    """``value`` as a JSON answer. ``orjson.Fragment`` inside goes out as it is."""
    return ForgetfulResponse(orjson.dumps(value), status)


def news_answer(body: bytes, *, is_last: bool) -> web.Response:
    """What somebody has waited for, as JSON bytes. With the last news before the node stops the connection ends: the
    next question goes to whoever is there then.
    """
    answer = ForgetfulResponse(body)
    if is_last:
        answer.force_close()
    return answer


def refusal_answer(refusal: Refused) -> web.Response:
    """The standard error object. A refusal without a code (the first 401 of user-interactive auth) has no errcode."""
    body = {"errcode": refusal.code, "error": refusal.reason, **refusal.extra} if refusal.code else refusal.extra
    answer = json_answer(body, refusal.status)
    if refusal.retry_after_ms:
        answer.headers["Retry-After"] = str(-(-refusal.retry_after_ms // 1000))
    return answer


def answer_refusals(handler: Handler) -> Handler:
    """``handler``, with every exception turned into a Matrix answer."""

    async def answered(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            if refusal.detail:
                logger.info("refused %s: %s (%s)", _door_name(handler), refusal, refusal.detail)
            return refusal_answer(refusal)
        except web.HTTPRequestEntityTooLarge:
            return refusal_answer(TooLarge("The request is too large"))
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            logger.exception("%s failed", _door_name(handler))
            return refusal_answer(Refused("The node has made a mistake; it is in its log", status=500))

    return answered


def _door_name(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__name__', '?')}"
