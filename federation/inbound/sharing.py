"""Doors: a neighbour brings a code by which we have asked to share (docs/protocol.md, "Sharing between neighbours")."""

from __future__ import annotations

from aiohttp import web

from federation.inbound.caller import peer
from federation.inbound.codes import agreed_in, code_in
from federation.sharing.joining import offer_as_json
from federation.sharing.model import Terms
from federation.sharing.opening import SHARE_OFFERS
from server.http.answers import json_answer


async def summary(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/share/summary: what a code offers."""
    who = await peer(request)
    offers = await request.app[SHARE_OFFERS].share_offers()
    return json_answer(offer_as_json(await offers.summary(who.origin, code_in(who.object()))))


async def agree(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/share/agree: the room into which the asker is invited."""
    who = await peer(request)
    body = who.object()
    party, terms = agreed_in(body, Terms.from_json)
    offers = await request.app[SHARE_OFFERS].share_offers()
    return json_answer({"room_id": await offers.agree(who.origin, code_in(body), party, terms)})
