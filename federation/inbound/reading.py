"""Doors: what other servers in a room ask of its graph: events, the state at one, what came before it.

Source: server-server API, "Retrieving events", "Backfilling and retrieving missing events", "Retrieving room state".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from federation.inbound.caller import Peer, peer
from federation.serving.visible import pdus_for
from server.foundation.errors import BadRequest, NotFound
from server.http.answers import json_answer
from server.http.requests import int_query, required_query
from server.rooms.event_store import room_of_event
from server.rooms.graph_store import Stored
from server.rooms.live_room import LiveRoom
from server.rooms.placement import State
from server.rooms.state_store import room_by_number
from server.rooms.timeline import OUTLIER

Json = dict[str, Any]

_MOST_BACKFILLED: Final = 100
_MOST_MISSING: Final = 50
_MOST_LINKS: Final = 20


async def event(request: web.Request) -> web.Response:
    """GET event/{eventId}"""
    who = await peer(request)
    event_id = request.match_info["eventId"]
    place = await room_of_event(who.federation.database, event_id)
    room_id = await room_by_number(who.federation.database, place[0]) if place is not None else None
    if room_id is None:
        raise NotFound("There is no such event")
    room = await who.room(room_id)
    stored = await _known(who, room, event_id)
    pdus = await pdus_for(who.federation, who.origin, room, [stored])
    return json_answer(_transaction(who, pdus))


async def event_auth(request: web.Request) -> web.Response:
    """GET event_auth/{roomId}/{eventId}: everything that an event rests on."""
    who = await peer(request)
    room = await who.room(request.match_info["roomId"])
    stored = await _known(who, room, request.match_info["eventId"])
    chain = await who.federation.receiver.forks.with_chains(room, stored.event.auth_events)
    return json_answer({"auth_chain": _pdus(chain.values())})


async def state(request: web.Request) -> web.Response:
    """GET state/{roomId}?event_id: the state before an event, whole."""
    who, room, before = await _state_before(request)
    chain = await who.federation.receiver.forks.with_chains(room, [item.event_id for item in before.values()])
    return json_answer({"pdus": [item.pdu for item in before.values()], "auth_chain": _pdus(chain.values())})


async def state_ids(request: web.Request) -> web.Response:
    """GET state_ids/{roomId}?event_id: the same by ids."""
    who, room, before = await _state_before(request)
    ids = [item.event_id for item in before.values()]
    chain = await who.federation.receiver.forks.with_chains(room, ids)
    return json_answer({"pdu_ids": ids, "auth_chain_ids": list(chain)})


async def backfill(request: web.Request) -> web.Response:
    """GET backfill/{roomId}?v=…&limit=…: these events and what came before them, the newest first."""
    who = await peer(request)
    room = await who.room(request.match_info["roomId"])
    start = request.query.getall("v", [])
    if not start:
        raise BadRequest("Name the events to go back from", code="M_MISSING_PARAM")
    limit = min(int_query(request, "limit", 10), _MOST_BACKFILLED)
    found = await _back_from(who, room, start[:_MOST_LINKS], set(), limit)
    return json_answer(_transaction(who, await pdus_for(who.federation, who.origin, room, found)))


async def missing_events(request: web.Request) -> web.Response:
    """POST get_missing_events/{roomId}: what stands between events that one has and others that one got."""
    who = await peer(request)
    room = await who.room(request.match_info["roomId"])
    body = who.object()
    earliest, latest = _ids(body, "earliest_events"), _ids(body, "latest_events")
    limit = body.get("limit", 10)
    if type(limit) is not int or limit < 0:
        raise BadRequest("limit is a whole number")
    known = await who.federation.receiver.forks.events(room, latest)
    links = [link for item in known.values() for link in item.event.prev_events if link not in earliest]
    found = await _back_from(who, room, links, set(earliest) | set(latest), min(limit, _MOST_MISSING))
    found.reverse()
    return json_answer({"events": await pdus_for(who.federation, who.origin, room, found)})


async def _back_from(
    who: Peer, room: LiveRoom, start: Iterable[str], stop: set[str], limit: int
) -> list[Stored]:
    """Up to ``limit`` events back along the graph, those next to the start first."""
    found: dict[str, Stored] = {}
    waiting = list(dict.fromkeys(start))
    while waiting and len(found) < limit:
        batch = await who.federation.receiver.forks.events(room, waiting)
        ordered = sorted(batch.values(), key=lambda item: -item.event.depth)
        for item in ordered[: limit - len(found)]:
            if not item.flags & OUTLIER and not item.is_rejected:
                found[item.event.event_id] = item
        waiting = [
            link for item in ordered for link in item.event.prev_events if link not in found and link not in stop
        ][: limit * _MOST_LINKS]
        waiting = list(dict.fromkeys(waiting))
    return list(found.values())


async def _state_before(request: web.Request) -> tuple[Peer, LiveRoom, State]:
    who = await peer(request)
    event_id = required_query(request, "event_id")
    room = await who.room(request.match_info["roomId"])
    stored = await _known(who, room, event_id)
    if not stored.has_state or stored.is_rejected:
        raise NotFound("The state at this event is not known here")
    return who, room, (await who.federation.receiver.state_before(room, stored.event)).state


async def _known(who: Peer, room: LiveRoom, event_id: str) -> Stored:
    stored = (await who.federation.receiver.forks.events(room, [event_id])).get(event_id)
    if stored is None or stored.is_rejected:
        raise NotFound("There is no such event in this room")
    return stored


def _transaction(who: Peer, pdus: list[Json]) -> Json:
    return {
        "origin": who.federation.identity.server_name, "origin_server_ts": who.federation.clock.now_ms(), "pdus": pdus,
    }


def _pdus(items: Iterable[Stored]) -> list[Json]:
    return [item.event.pdu for item in items if not item.is_rejected]


def _ids(body: Json, name: str) -> list[str]:
    found = body.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadRequest(f"{name} is a list of event ids")
    return found[:_MOST_LINKS]
