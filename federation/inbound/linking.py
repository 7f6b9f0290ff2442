"""Doors: a node brings an invitation code of ours (docs/protocol.md, "Linking")."""

from __future__ import annotations

from aiohttp import web

from federation.inbound.caller import peer
from federation.inbound.codes import agreed_in, code_in
from federation.links.joining import summary_as_json
from federation.links.model import Terms
from federation.links.opening import OFFERS
from server.http.answers import json_answer


async def summary(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/link/summary: what a code offers."""
    who = await peer(request)
    offers = await request.app[OFFERS].offers()
    return json_answer(summary_as_json(await offers.summary(who.origin, code_in(who.object()))))


async def agree(request: web.Request) -> web.Response:
    """POST unstable/jp.kairan/link/agree: the room into which the asker is invited."""
    who = await peer(request)
    body = who.object()
    party, terms = agreed_in(body, Terms.from_json)
    offers = await request.app[OFFERS].offers()
    return json_answer({"room_id": await offers.agree(who.origin, code_in(body), party, terms)})
