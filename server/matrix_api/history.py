"""Doors: messages, context, one event, state, members, relations (spec: "Getting events for a room")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.canonical_json import parse_json
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import bool_query, caller, int_query
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.rooms.event import Event
from server.rooms.history import RECURSION, Page, Wanted
from server.rooms.relation_filter_store import targets_of
from server.rooms.timeline import Entry, client_event
from server.rooms.visibility import value_at
from server.sync.filters import NO_FILTER, EventFilter, parse_filter
from server.sync.tokens import SyncToken

_MOST = 500


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    doors.get("v3/rooms/{roomId}/messages", messages)
    doors.get("v3/rooms/{roomId}/context/{eventId}", context)
    doors.get("v3/rooms/{roomId}/event/{eventId}", one_event)
    doors.get("v3/rooms/{roomId}/state", state)
    doors.get("v3/rooms/{roomId}/state/{eventType}", state_content)
    doors.get("v3/rooms/{roomId}/state/{eventType}/{stateKey}", state_content)
    doors.get("v3/rooms/{roomId}/members", members)
    doors.get("v3/rooms/{roomId}/joined_members", joined_members)
    doors.get("v1/rooms/{roomId}/relations/{eventId}", relations)
    doors.get("v1/rooms/{roomId}/relations/{eventId}/{relType}", relations)
    doors.get("v1/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}", relations)


async def messages(request: web.Request) -> web.Response:
    """A page of the room's past, or on from a position."""
    who = await caller(request)
    wanted = _filter(request)
    backwards = _direction(request, required=True)
    page = await request.app[ROOMS].history.page(
        request.match_info["roomId"], who.user_id, _position(request, "from"), _position(request, "to"),
        min(int_query(request, "limit", 10), _MOST),
        await _heard(request, who, wanted), backwards=backwards,
    )
    answer = _page(page, who, "chunk")
    await tell_moments(request, who, page.entries, answer["chunk"])
    if wanted.lazy_members:
        _room, members_now = await request.app[ROOMS].history.state(request.match_info["roomId"], who.user_id)
        senders = dict.fromkeys(entry.event.sender for entry in page.entries)
        found = (members_now.get(("m.room.member", sender)) for sender in senders)
        answer["state"] = [client_event(event) for event in found if event is not None]
    return json_answer(answer)


async def context(request: web.Request) -> web.Response:
    """An event with its neighbours."""
    who = await caller(request)
    wanted = _filter(request)
    found = await request.app[ROOMS].history.context(
        request.match_info["roomId"], who.user_id, request.match_info["eventId"],
        min(int_query(request, "limit", 10), _MOST), await _heard(request, who, wanted),
    )
    entries = [*found.before.entries, found.entry, *found.after.entries]
    senders = {entry.event.sender for entry in entries}
    shown = [
        client_event(event) for event in found.state.values()
        if not wanted.lazy_members or event.type != "m.room.member" or event.state_key in senders
    ]
    before = found.before.end if found.before.end is not None else found.entry.stream - 1
    last = found.after.entries[-1].stream if found.after.entries else found.entry.stream
    told = [_shown(entry, who) for entry in entries]
    await tell_moments(request, who, entries, told)
    middle = len(found.before.entries)
    return json_answer({
        "event": told[middle],
        "events_before": told[:middle],
        "events_after": told[middle + 1:],
        "state": shown,
        "start": str(SyncToken(before)),
        "end": str(SyncToken(last)),
    })


async def one_event(request: web.Request) -> web.Response:
    """One event of a room."""
    who = await caller(request)
    entry = await request.app[ROOMS].history.event(
        request.match_info["roomId"], who.user_id, request.match_info["eventId"]
    )
    shown = entry.shown_to(who.user_id, who.device_id)
    await tell_moments(request, who, [entry], [shown])
    return json_answer(shown)


async def state(request: web.Request) -> web.Response:
    """The whole state, as far as one may see it."""
    who = await caller(request)
    _room, found = await request.app[ROOMS].history.state(request.match_info["roomId"], who.user_id)
    return json_answer([client_event(event) for event in found.values()])


async def state_content(request: web.Request) -> web.Response:
    """The content of one state event; ``format=event`` for the whole."""
    who = await caller(request)
    path = request.match_info
    _room, found = await request.app[ROOMS].history.state(path["roomId"], who.user_id)
    event = found.get((path["eventType"], path.get("stateKey", "")))
    if event is None:
        raise NotFound("The room has no such state")
    return json_answer(client_event(event) if request.query.get("format") == "event" else event.content)


async def members(request: web.Request) -> web.Response:
    """The member events, by membership where asked."""
    who = await caller(request)
    _room, found = await request.app[ROOMS].history.state(
        request.match_info["roomId"], who.user_id, _position(request, "at")
    )
    chunk = [client_event(event) for event in found.values() if _is_wanted_member(event, request)]
    return json_answer({"chunk": chunk})


async def joined_members(request: web.Request) -> web.Response:
    """Names and pictures of those who are in."""
    who = await caller(request)
    room, found = await request.app[ROOMS].history.state(request.match_info["roomId"], who.user_id)
    if room.membership(who.user_id) != "join":
        raise Forbidden("You are not in this room")
    joined: dict[str, Any] = {}
    for (kind, user_id), event in found.items():
        content = event.content
        if kind == "m.room.member" and content.get("membership") == "join":
            shown = {"display_name": content.get("displayname"), "avatar_url": content.get("avatar_url")}
            joined[user_id] = {name: value for name, value in shown.items() if isinstance(value, str)}
    return json_answer({"joined": joined})


async def relations(request: web.Request) -> web.Response:
    """What relates to an event: edits, reactions, answers of a thread; not those of people whom one ignores."""
    who = await caller(request)
    path = request.match_info
    recurse = bool_query(request, "recurse")
    page = await request.app[ROOMS].history.related(
        path["roomId"], who.user_id, path["eventId"], (path.get("relType"), path.get("eventType")),
        _position(request, "from"), max(1, min(int_query(request, "limit", 30), _MOST)),
        backwards=_direction(request, required=False), recurse=recurse,
    )
    ignored = request.app[ACCOUNTS].account_data.ignored_by(who.user_id)
    page = _up_to(page, _position(request, "to"), backwards=request.query.get("dir") != "f")
    page = replace(page, entries=[entry for entry in page.entries if entry.event.sender not in ignored])
    answer = _page(page, who, "chunk")
    await tell_moments(request, who, page.entries, answer["chunk"])
    start = answer.pop("start")
    if "end" in answer:
        answer["next_batch"] = answer.pop("end")
    if request.query.get("from"):
        answer["prev_batch"] = start
    if recurse:
        answer["recursion_depth"] = RECURSION
    return json_answer(answer)


def _up_to(page: Page, end: int | None, *, backwards: bool) -> Page:
    """What a page has before it comes to the position ``end``."""
    kept = [entry for entry in page.entries if end is None or (entry.stream > end) is backwards]
    return page if len(kept) == len(page.entries) else replace(page, entries=kept, end=None)


def _page(page: Page, who: Caller, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        name: [_shown(entry, who) for entry in page.entries], "start": str(SyncToken(page.start)),
    }
    if page.end is not None:
        answer["end"] = str(SyncToken(page.end))
    return answer


def _shown(entry: Entry, who: Caller) -> dict[str, Any]:
    return entry.shown_to(who.user_id, who.device_id)


def _is_wanted_member(event: Event, request: web.Request) -> bool:
    if event.type != "m.room.member":
        return False
    membership = event.content.get("membership")
    only, but = request.query.get("membership"), request.query.get("not_membership")
    return (only is None or membership == only) and (but is None or membership != but)


def _position(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    return None if not text else SyncToken.parse(text).stream


def _direction(request: web.Request, *, required: bool) -> bool:
    direction = request.query.get("dir")
    if direction not in ("b", "f") and (required or direction is not None):
        code = "M_INVALID_PARAM" if direction else "M_MISSING_PARAM"
        raise InvalidParam("dir is b (backwards) or f (forwards)", code=code)
    return direction != "f"


async def tell_moments(
    request: web.Request, who: Caller, entries: Sequence[Entry], shown: Sequence[dict[str, Any]]
) -> None:
    """Say how old each event is, and what the reader was in the room then (``unsigned``)."""
    if not entries:
        return
    services = request.app[ROOMS]
    history = await services.history.memberships(request.match_info["roomId"], who.user_id)
    now = services.clock.now_ms()
    for entry, event in zip(entries, shown, strict=True):
        unsigned = event.setdefault("unsigned", {})
        unsigned["age"] = max(0, now - entry.event.origin_server_ts)
        unsigned["membership"] = value_at(history, entry.stream, "leave")


async def _heard(request: web.Request, who: Caller, wanted: EventFilter) -> Wanted:
    """What the filter wants, without what ignored users have said (spec, "Ignoring Users")."""
    ignored = request.app[ACCOUNTS].account_data.ignored_by(who.user_id)
    related = await _related(request, wanted)
    if not ignored and related is None:
        return wanted.wants
    return lambda event: (
        wanted.wants(event) and (related is None or event.event_id in related)
        and (event.state_key is not None or event.sender not in ignored)
    )


async def _related(request: web.Request, wanted: EventFilter) -> frozenset[str] | None:
    """The events to which others relate as the filter wants it; ``None`` where it says nothing of that."""
    if wanted.related_by_types is None and wanted.related_by_senders is None:
        return None
    room = await request.app[ROOMS].rooms.find(request.match_info["roomId"])
    if room is None:
        return frozenset()
    return await targets_of(request.app[DATABASE], room, wanted.related_by_types, wanted.related_by_senders)


def _filter(request: web.Request) -> EventFilter:
    text = request.query.get("filter")
    if not text:
        return NO_FILTER.timeline
    return parse_filter({"room": {"timeline": parse_json(text)}}).timeline
