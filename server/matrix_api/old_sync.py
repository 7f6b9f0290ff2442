"""Doors of the time before ``/sync``: ``initialSync`` of a room and of everything, ``events``, looking on from outside.

What they tell of one's own rooms is taken from an answer of ``/sync``, so that both say the same.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import NotFound
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import bool_query, caller, int_query
from server.http.room_services import ROOMS
from server.rooms.event_place_store import room_id_of_event
from server.rooms.history import Page
from server.rooms.timeline import client_event
from server.sync.filters import parse_filter
from server.sync.presence_news import presence_content
from server.sync.request import SyncRequest
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_MOST: Final = 500
_LONGEST_WAIT_MS: Final = 60_000
# Nobody wakes those who only look on from outside.
_LOOKED_EVERY_S: Final = 1.0


async def room_initial_sync(request: web.Request) -> web.Response:
    """GET rooms/{roomId}/initialSync: one room as it is, or as it was when one left it."""
    who = await caller(request)
    services, room_id = request.app[ROOMS], request.match_info["roomId"]
    room, state = await services.history.state(room_id, who.user_id)
    limit = min(int_query(request, "limit", 20), _MOST)
    page = await services.history.page(room_id, who.user_id, None, None, limit, lambda _: True, backwards=True)
    _, by_room = await request.app[ACCOUNTS].account_data_since(who.user_id, 0, services.history.newest)
    shown: Json = {
        "room_id": room_id,
        "messages": _messages(page, who),
        "state": [client_event(event) for event in state.values()],
        "visibility": "public" if room.listed else "private",
        "account_data": by_room.get(room_id, []),
        "presence": _presence(request, room.joined) if room.membership(who.user_id) == "join" else [],
        "receipts": [],
    }
    if room.member(who.user_id) is not None:
        shown["membership"] = room.membership(who.user_id)
    return json_answer(shown)


async def initial_sync(request: web.Request) -> web.Response:
    """GET initialSync: everything, as ``/sync`` tells it to a new device."""
    who = await caller(request)
    limit = min(int_query(request, "limit", 20), _MOST)
    wanted = parse_filter({"room": {
        "timeline": {"limit": limit}, "include_leave": bool_query(request, "archived"),
    }})
    asked = SyncRequest(who.user_id, who.device_id, wanted, state_after=True)
    told = orjson.loads(await request.app[ROOMS].sync.answer(asked))
    rooms = told.get("rooms", {})
    shown = [
        await _room(request, who, room_id, kind, section, told["next_batch"])
        for kind in ("join", "invite", "leave") for room_id, section in rooms.get(kind, {}).items()
    ]
    return json_answer({
        "end": told["next_batch"], "rooms": shown, "receipts": [],
        "presence": told.get("presence", {}).get("events", []),
        "account_data": told.get("account_data", {}).get("events", []),
    })


async def events(request: web.Request) -> web.Response:
    """GET events: what is new of one's own rooms, or with ``room_id`` of one room that all the world may read."""
    who = await caller(request)
    timeout_ms = min(int_query(request, "timeout", 0), _LONGEST_WAIT_MS)
    start = request.query.get("from")
    services = request.app[ROOMS]
    since = SyncToken.parse(start) if start else services.sync.now()
    room_id = request.query.get("room_id")
    if room_id:
        return json_answer(await _peek(request, who, room_id, since, timeout_ms))
    asked = SyncRequest(who.user_id, who.device_id, parse_filter({}), since, timeout_ms)
    told = orjson.loads(await services.sync.answer(asked))
    return json_answer({"start": str(since), "end": told["next_batch"], "chunk": _flat(told)})


async def one_event(request: web.Request) -> web.Response:
    """GET events/{eventId}: an event without the name of its room."""
    who = await caller(request)
    event_id = request.match_info["eventId"]
    room_id = await room_id_of_event(request.app[DATABASE], event_id)
    if room_id is None:
        raise NotFound("There is no such event")
    entry = await request.app[ROOMS].history.event(room_id, who.user_id, event_id)
    return json_answer(entry.shown_to(who.user_id, who.device_id))


async def _peek(request: web.Request, who: Caller, room_id: str, since: SyncToken, timeout_ms: int) -> Json:
    services = request.app[ROOMS]
    deadline = services.clock.monotonic() + timeout_ms / 1000
    while True:
        page = await services.history.page(
            room_id, who.user_id, since.stream, None, 100, lambda _: True, backwards=False
        )
        left = deadline - services.clock.monotonic()
        if page.entries or left <= 0 or services.sync.is_stopping:
            last = page.entries[-1].stream if page.entries else since.stream
            return {
                "start": str(since), "end": str(SyncToken(last)),
                "chunk": [entry.shown_to(who.user_id, who.device_id) for entry in page.entries],
            }
        await services.clock.sleep(min(left, _LOOKED_EVERY_S))


def _messages(page: Page, who: Caller) -> Json:
    """A page as these doors show it: the oldest first."""
    entries = list(reversed(page.entries))
    shown: Json = {
        "chunk": [entry.shown_to(who.user_id, who.device_id) for entry in entries], "end": str(SyncToken(page.start)),
    }
    if page.end is not None:
        shown["start"] = str(SyncToken(page.end))
    return shown


def _presence(request: web.Request, members: set[str]) -> list[Json]:
    presences = request.app[ACCOUNTS].presence
    found = ((user_id, presences.get(user_id)) for user_id in members)
    return [
        {"type": "m.presence", "sender": user_id, "content": presence_content(presence)}
        for user_id, presence in found if presence is not None
    ]


async def _room(request: web.Request, who: Caller, room_id: str, kind: str, section: Json, end: str) -> Json:
    room = await request.app[ROOMS].rooms.get(room_id)
    shown: Json = {"room_id": room_id, "membership": kind, "visibility": "public" if room.listed else "private"}
    if kind == "invite":
        invitation = room.member(who.user_id)
        return {**shown, **({"invite": client_event(invitation)} if invitation is not None else {})}
    timeline = section["timeline"]
    return {
        **shown,
        "messages": {"start": timeline["prev_batch"], "end": end, "chunk": _in_room(timeline["events"], room_id)},
        "state": _in_room(section["state_after"]["events"], room_id),
        "account_data": section.get("account_data", {}).get("events", []),
    }


def _in_room(events_of_room: list[Json], room_id: str) -> list[Json]:
    return [{**event, "room_id": room_id} for event in events_of_room]


def _flat(told: Json) -> list[Json]:
    """An answer of ``/sync`` as one list of events: those that are in the histories of rooms."""
    chunk: list[Json] = []
    for kind in ("join", "leave"):
        for room_id, section in told.get("rooms", {}).get(kind, {}).items():
            for part in ("state", "timeline"):
                chunk += _in_room(section.get(part, {}).get("events", []), room_id)
    return chunk
