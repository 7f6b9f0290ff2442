"""Doors: a neighbour brings a code by which we have asked to share (docs/protocol.md, "Sharing between neighbours").

The code is in the body, never in the address, so that it stands in nobody's log.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from federation.inbound.caller import peer
from federation.links.model import Party
from federation.sharing.joining import offer_as_json
from federation.sharing.model import Terms
from federation.sharing.opening import SHARE_OFFERS
from server.foundation.errors import BadRequest, Refused
from server.http.answers import json_answer

_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)


async def summary(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/share/summary: what a code offers."""
    who = await peer(request)
    offers = await request.app[SHARE_OFFERS].share_offers()
    return json_answer(offer_as_json(await offers.summary(who.origin, _code_in(who.object()))))


async def agree(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/share/agree: the room into which the asker is invited."""
    who = await peer(request)
    body = who.object()
    try:
        party, terms = Party.from_json(body["party"]), Terms.from_json(body["terms"])
    except (Refused, *_UNREADABLE):
        raise BadRequest("party and terms are needed, as docs/protocol.md has them") from None
    offers = await request.app[SHARE_OFFERS].share_offers()
    return json_answer({"room_id": await offers.agree(who.origin, _code_in(body), party, terms)})


def _code_in(body: dict[str, Any]) -> str:
    code = body.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= 100:
        raise BadRequest("A code is needed")
    return code
