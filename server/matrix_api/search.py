"""Door: full text search (spec: "Server Side Search").

Pages go back in time in both orders; by rank, each page is in the order of its own ranks.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import InvalidParam
from server.foundation.keyed_locks import KeyedLocks
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import field, json_body, member, optional_field, take_message
from server.http.room_services import ROOMS, RoomServices
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.search import Found, Question, Search
from server.rooms.search_words import KEYS, words_of
from server.rooms.timeline import Entry, client_event
from server.sync.filters import EventFilter, parse_filter
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_LIMIT: Final = 10
_MOST: Final = 50
_MOST_CONTEXT: Final = 20
_MOST_TERM: Final = 1_000
_GROUPS: Final = ("room_id", "sender")
# A search may read for a quarter of a second; nobody has two at a time.
_searching: Final = KeyedLocks()


async def search(request: web.Request) -> web.Response:
    """POST search: messages, names and topics of rooms that the caller is in or was in, as far as they see them."""
    who = await member(request)
    take_message(request, who)
    asked = optional_field(field(await json_body(request), "search_categories", dict), "room_events", dict)
    if asked is None:
        return json_answer({"search_categories": {}})
    wanted = parse_filter({"room": {"timeline": optional_field(asked, "filter", dict) or {}}}).timeline
    place = _place(request)
    question = _question(request, who, asked, wanted, place)
    grouped, around, by_rank = _groups(asked), optional_field(asked, "event_context", dict), _is_by_rank(asked)
    verbs = Search(request.app[DATABASE], request.app[ROOMS].rooms, request.app[ROOMS].history)
    limit = max(1, min(_LIMIT if wanted.limit is None else wanted.limit, _MOST))
    async with _searching.hold(who.user_id):
        rooms = await _rooms(verbs, who, wanted, place) if question.words else []
        found, following = await verbs.find(who.user_id, rooms, question, place.before, limit)
    if by_rank:
        found.sort(key=lambda hit: -question.rank(hit.event))
    results = [await _result(request.app[ROOMS], verbs, who, hit, around, question) for hit in found]
    answer: Json = {"count": len(results), "highlights": list(question.words), "results": results}
    if following is not None:
        answer["next_batch"] = str(SyncToken(following))
    if grouped:
        answer["groups"] = {key: _grouped(found, key, following) for key in grouped}
    if optional_field(asked, "include_state", bool):
        answer["state"] = await _states(request.app[ROOMS], who, found)
    return json_answer({"search_categories": {"room_events": answer}})


class _Place(NamedTuple):
    """From where a search goes on, and in which group alone: the room or the sender."""

    before: int | None = None
    room_id: str | None = None
    sender: str | None = None


def _place(request: web.Request) -> _Place:
    token = request.query.get("next_batch")
    if not token:
        return _Place()
    position, _, group = token.partition("~")
    key, _, value = group.partition("~")
    return _Place(
        SyncToken.parse(position).stream, value if key == "room_id" else None, value if key == "sender" else None
    )


def _question(request: web.Request, who: Caller, asked: Json, wanted: EventFilter, place: _Place) -> Question:
    term = field(asked, "search_term", str)
    if len(term) > _MOST_TERM:
        raise InvalidParam(f"A search term has at most {_MOST_TERM} characters")
    keys = optional_field(asked, "keys", list) or list(KEYS)
    if not all(key in KEYS for key in keys):
        raise InvalidParam(f"keys are of: {', '.join(KEYS)}")
    ignored = request.app[ACCOUNTS].account_data.ignored_by(who.user_id)

    def wants(event: Event) -> bool:
        return event.sender not in ignored and place.sender in (None, event.sender) and wanted.wants(event)

    return Question(words_of(term), keys, wants)


def _is_by_rank(asked: Json) -> bool:
    order = optional_field(asked, "order_by", str)
    if order not in (None, "recent", "rank"):
        raise InvalidParam("order_by is recent or rank")
    return order != "recent"


def _groups(asked: Json) -> list[str]:
    groups = optional_field(optional_field(asked, "groupings", dict) or {}, "group_by", list) or []
    keys = [group.get("key") if isinstance(group, dict) else None for group in groups]
    if not all(key in _GROUPS for key in keys):
        raise InvalidParam("Results are grouped by room_id or sender")
    return [str(key) for key in dict.fromkeys(keys)]


async def _rooms(verbs: Search, who: Caller, wanted: EventFilter, place: _Place) -> list[str]:
    """The rooms to search. Whoever names a room means also what was said before it was upgraded."""
    own = await verbs.rooms_of(who.user_id)
    rooms = [room_id for room_id in own if wanted.wants_room(room_id)]
    if wanted.rooms is not None:
        rooms = await verbs.with_predecessors(rooms, set(own).difference(wanted.not_rooms))
    return [room_id for room_id in rooms if place.room_id in (None, room_id)]


async def _result(
    services: RoomServices, verbs: Search, who: Caller, hit: Found, around: Json | None, question: Question
) -> Json:
    entry = await services.history.event(hit.room.room_id, who.user_id, hit.event.event_id)
    result: Json = {"rank": question.rank(hit.event), "result": entry.shown_to(who.user_id, who.device_id)}
    if around is not None:
        result["context"] = await _context(services, verbs, who, hit.room, entry, around)
    return result


async def _context(
    services: RoomServices, verbs: Search, who: Caller, room: LiveRoom, entry: Entry, around: Json
) -> Json:
    """Neighbours of a result. Profiles are those of the moment of the result."""
    pages = []
    for name, start, backwards in (("before_limit", entry.stream - 1, True), ("after_limit", entry.stream, False)):
        limit = _context_limit(around, name)
        pages.append(await services.history.page(
            room.room_id, who.user_id, start, None, limit, lambda _: True, backwards=backwards
        ))
    before, after = pages
    context: Json = {
        "events_before": [item.shown_to(who.user_id, who.device_id) for item in before.entries],
        "events_after": [item.shown_to(who.user_id, who.device_id) for item in after.entries],
        "start": str(SyncToken((before.entries[-1] if before.entries else entry).stream - 1)),
        "end": str(SyncToken((after.entries[-1] if after.entries else entry).stream)),
    }
    if optional_field(around, "include_profile", bool):
        last = {item.event.sender: item.stream for item in (*reversed(before.entries), entry, *after.entries)}
        context["profile_info"] = {
            sender: _profile(await verbs.member_at(room, sender, last[sender])) for sender in sorted(last)
        }
    return context


def _context_limit(around: Json, name: str) -> int:
    limit = optional_field(around, name, int)
    if limit is not None and limit < 0:
        raise InvalidParam(f"{name} is not negative")
    return 5 if limit is None else min(limit, _MOST_CONTEXT)


def _profile(shown: Event | None) -> Json:
    content = shown.content if shown is not None else {}
    return {name: content[name] for name in ("displayname", "avatar_url") if isinstance(content.get(name), str)}


def _grouped(found: list[Found], key: str, following: int | None) -> Json:
    groups: dict[str, Json] = {}
    for hit in found:
        value = hit.room.room_id if key == "room_id" else hit.event.sender
        if value not in groups:
            groups[value] = {"order": len(groups) + 1, "results": []}
            if following is not None:
                groups[value]["next_batch"] = f"{SyncToken(following)}~{key}~{value}"
        groups[value]["results"].append(hit.event.event_id)
    return groups


async def _states(services: RoomServices, who: Caller, found: list[Found]) -> Json:
    states: Json = {}
    for room_id in dict.fromkeys(hit.room.room_id for hit in found):
        _room, state = await services.history.state(room_id, who.user_id)
        states[room_id] = [client_event(event) for event in state.values()]
    return states
