"""Doors: a node brings an invitation code of ours (docs/protocol.md, "Linking").

The code is in the body, never in the address, so that it stands in nobody's log.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from federation.inbound.caller import peer
from federation.links.joining import summary_as_json
from federation.links.model import Party, Terms
from federation.links.opening import OFFERS
from server.foundation.errors import BadRequest, Refused
from server.http.answers import json_answer

_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)


async def summary(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/link/summary: what a code offers."""
    who = await peer(request)
    offers = await request.app[OFFERS].offers()
    return json_answer(summary_as_json(await offers.summary(who.origin, _code_in(who.object()))))


async def agree(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/link/agree: the room into which the asker is invited."""
    who = await peer(request)
    body = who.object()
    try:
        party, terms = Party.from_json(body["party"]), Terms.from_json(body["terms"])
    except (Refused, *_UNREADABLE):
        raise BadRequest("party and terms are needed, as docs/protocol.md has them") from None
    offers = await request.app[OFFERS].offers()
    return json_answer({"room_id": await offers.agree(who.origin, _code_in(body), party, terms)})


def _code_in(body: dict[str, Any]) -> str:
    code = body.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= 100:
        raise BadRequest("A code is needed")
    return code
