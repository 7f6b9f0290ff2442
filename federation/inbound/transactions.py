"""Door: what another server tells us, many things at once (spec: "Transactions")."""

from __future__ import annotations

import logging
from itertools import filterfalse
from typing import Any, Final

import orjson
from aiohttp import web

from federation.inbound.caller import MAX_TRANSACTION_BYTES, Peer, signed_by, size_of
from federation.inbound.messages import comes_before_events, take_message
from federation.inbound.opening import FEDERATION
from federation.serving.withdrawn import take_withdrawal
from server.foundation.errors import BadRequest, NotFound, Refused
from server.foundation.tasks import together
from server.http.answers import json_answer
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom

logger = logging.getLogger(__name__)

Json = dict[str, Any]

_MOST_EVENTS: Final = 50
_MOST_MESSAGES: Final = 100


async def receive_transaction(request: web.Request) -> web.Response:
    """PUT /_matrix/federation/v1/send/{txnId}: what came of each event. The same id twice is taken once."""
    federation = await request.app[FEDERATION].open()
    with federation.intake.space(size_of(request, MAX_TRANSACTION_BYTES)):
        who = await signed_by(request, federation, MAX_TRANSACTION_BYTES)
        with federation.intake.place(who.origin):
            return await _take(who, request.match_info["txnId"])


async def _take(who: Peer, txn_id: str) -> web.Response:
    body = who.object()
    pdus, edus = body.get("pdus", []), body.get("edus", [])
    if not isinstance(pdus, list) or not isinstance(edus, list):
        raise BadRequest("A transaction has lists of events and of messages")
    if len(pdus) > _MOST_EVENTS or len(edus) > _MOST_MESSAGES:
        raise BadRequest("A transaction has at most 50 events and 100 messages")
    async with who.federation.intake.turns.hold(who.origin):
        known = who.federation.answered.find(who.origin, txn_id)
        if known is not None:
            return json_answer(orjson.Fragment(known))
        for edu in filter(comes_before_events, edus):
            await _take_message(who, edu)
        answer = orjson.dumps({"pdus": await _take_events(who, pdus)})
        for edu in filterfalse(comes_before_events, edus):
            await _take_message(who, edu)
        who.federation.answered.keep(who.origin, txn_id, answer)
    return json_answer(orjson.Fragment(answer))


async def _take_message(who: Peer, edu: object) -> None:
    try:
        await take_message(who, edu)
    except Refused as refused:
        logger.info("a message of %s was not taken: %s", who.origin, refused)


async def _take_events(who: Peer, pdus: list[Any]) -> dict[str, Json]:
    """Each room's events in their order, rooms beside each other."""
    by_room: dict[str, list[Any]] = {}
    for pdu in pdus:
        room_id = pdu.get("room_id") if isinstance(pdu, dict) else None
        if isinstance(room_id, str):
            by_room.setdefault(room_id, []).append(pdu)
    results: dict[str, Json] = {}
    for told in await together([_take_room(who, room_id, found) for room_id, found in by_room.items()]):
        results |= told
    return results


async def _take_room(who: Peer, room_id: str, pdus: list[Any]) -> dict[str, Json]:
    room = await who.federation.rooms.rooms.find(room_id)
    if room is None:
        return {}
    events: list[Event] = []
    for item in await who.federation.reader.read_each(pdus, room.version):
        if isinstance(item, Event):
            events.append(item)
        else:
            logger.info("an event of %s cannot be read: %s", who.origin, item)
    try:
        if not room.joined_here:
            return {event.event_id: await _take_unasked(who, room, event) for event in events}
        results = await who.federation.receiver.receive_all(who.origin, room_id, events)
    except NotFound:
        return {event.event_id: {} for event in events}
    return {event_id: {} if refused is None else {"error": refused.reason} for event_id, refused in results.items()}


async def _take_unasked(who: Peer, room: LiveRoom, event: Event) -> Json:
    """Of a room that we have only been told of, nothing concerns us but that an invitation is withdrawn."""
    try:
        who.require_admitted(room)
        await take_withdrawal(who.federation, who.origin, room, event)
    except NotFound:
        return {}
    except Refused as refused:
        return {"error": refused.reason}
    return {}
