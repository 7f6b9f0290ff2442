"""Doors: the public list, a Space's rooms, one room in short (spec: "Published room directory", "Spaces")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from server.foundation.errors import BadRequest, InvalidParam, MissingToken, NotFound
from server.foundation.ids import is_server_name
from server.http.answers import json_answer
from server.http.keys import APPLICATION_SERVICES, SETTINGS
from server.http.requests import bool_query, caller, int_query, json_body, optional_field
from server.http.room_services import ROOMS
from server.rooms.room_directory import Search
from server.rooms.room_summary import may_look_at, summary_of

_MOST = 100
_MOST_IN_SPACE = 50
_DEEPEST = 10


async def public_rooms(request: web.Request) -> web.Response:
    """GET publicRooms: the list, page by page."""
    await _anybody_allowed(request)
    limit = int_query(request, "limit", _MOST)
    return await _page(request, Search(), request.query.get("since"), limit)


async def search_public_rooms(request: web.Request) -> web.Response:
    """POST publicRooms: the list, searched and page by page."""
    await caller(request)
    body = await json_body(request)
    limit = optional_field(body, "limit", int)
    network = optional_field(body, "third_party_instance_id", str)
    if optional_field(body, "include_all_networks", bool) and network:
        raise InvalidParam("Either all networks are asked for, or one")
    return await _page(
        request, _search(optional_field(body, "filter", dict) or {}), optional_field(body, "since", str),
        _MOST if limit is None else limit, await _room_ids(request, body),
    )


async def hierarchy(request: web.Request) -> web.Response:
    """GET rooms/{roomId}/hierarchy: the rooms below a Space."""
    who = await caller(request)
    suggested = bool_query(request, "suggested_only")
    depth = min(int_query(request, "max_depth", _DEEPEST), _DEEPEST)
    limit = min(int_query(request, "limit", _MOST_IN_SPACE, least=1), _MOST_IN_SPACE)
    same = f"{depth}_{int(suggested)}"
    start = _place_in_space(request.query.get("from"), same)
    found: list[dict[str, Any]] = []
    place, more = 0, False
    walk = request.app[ROOMS].spaces.walk(
        request.match_info["roomId"], who.user_id, suggested_only=suggested, max_depth=depth
    )
    async for room in walk:
        if place >= start + limit:
            more = True
            break
        if place >= start:
            found.append(room)
        place += 1
    return json_answer({"rooms": found, **({"next_batch": f"{place}_{same}"} if more else {})})


async def room_summary(request: web.Request) -> web.Response:
    """GET room_summary/{roomIdOrAlias}: one room in short. Needs no account for rooms that all may join or read."""
    return json_answer(await _summary(request))


async def room_summary_of_draft(request: web.Request) -> web.Response:
    """The same as before it was part of the specification (MSC3266), when two fields had other names, too."""
    told = await _summary(request)
    told["im.nheko.summary.room_version"] = told["im.nheko.summary.version"] = told["room_version"]
    if "encryption" in told:
        told["im.nheko.summary.encryption"] = told["encryption"]
    return json_answer(told)


async def _summary(request: web.Request) -> dict[str, Any]:
    who = await caller(request) if _has_token(request) else None
    services = request.app[ROOMS]
    name = request.match_info["roomIdOrAlias"]
    user_id = who.user_id if who is not None else None
    # Nobody without an account makes this node ask others.
    room_id, servers = await services.aliases.find(name) if user_id else (await services.aliases.room_id(name), [])
    room = await services.rooms.find(room_id)
    told = None
    if user_id is not None and (room is None or not room.joined_here):
        told = await services.spaces.summary(room_id, user_id, [*request.query.getall("via", []), *servers])
    if told is None and room is not None and await may_look_at(services.rooms, room, user_id):
        told = summary_of(room)
    if told is None:
        raise NotFound("There is no such room, or you may not know of it")
    if user_id is not None:
        told["membership"] = room.membership(user_id) if room is not None else "leave"
    return told


async def _room_ids(request: web.Request, body: dict[str, Any]) -> Sequence[str] | None:
    """The rooms among which is searched: of one list of an application service, or ``None`` for the node's own list."""
    everything = optional_field(body, "include_all_networks", bool) is True
    instance = optional_field(body, "third_party_instance_id", str)
    if instance is not None and everything:
        raise InvalidParam("third_party_instance_id cannot be asked for together with include_all_networks")
    services = request.app.get(APPLICATION_SERVICES)
    if instance is None and (services is None or not everything):
        return None
    theirs = await services.room_lists.room_ids(instance) if services is not None else []
    ours = await request.app[ROOMS].directory.listed() if everything else []
    return list(dict.fromkeys([*ours, *theirs]))


async def _page(
    request: web.Request, search: Search, since: str | None, limit: int, room_ids: Sequence[str] | None = None
) -> web.Response:
    server = request.query.get("server")
    if server and server != request.app[SETTINGS].server_name:
        if not is_server_name(server):
            raise InvalidParam("server is no name of a server")
        return json_answer(await request.app[ROOMS].far.public_rooms(server, _asked(search, since, limit)))
    start, backwards = _place_in_list(since)
    limit = max(0, min(limit, _MOST))
    page = await request.app[ROOMS].directory.page(search, start, limit, backwards=backwards, among=room_ids)
    answer: dict[str, Any] = {"chunk": list(page.rooms), "total_room_count_estimate": page.total}
    if page.end < page.total and limit:
        answer["next_batch"] = f"n{page.end}"
    if page.start > 0 and limit:
        answer["prev_batch"] = f"p{page.start}"
    return json_answer(answer)


def _asked(search: Search, since: str | None, limit: int) -> dict[str, Any]:
    """The same question for another server."""
    wanted: dict[str, Any] = {"generic_search_term": search.term} if search.term else {}
    if search.room_types is not None:
        wanted["room_types"] = list(search.room_types)
    return {"limit": limit, **({"filter": wanted} if wanted else {}), **({"since": since} if since else {})}


async def _anybody_allowed(request: web.Request) -> None:
    if _has_token(request):
        await caller(request)
    elif not request.app[SETTINGS].directory.public:
        raise MissingToken("Missing access token")


def _has_token(request: web.Request) -> bool:
    return "Authorization" in request.headers or "access_token" in request.query


def _search(wanted: dict[str, Any]) -> Search:
    types = optional_field(wanted, "room_types", list)
    if types is not None and not all(item is None or isinstance(item, str) for item in types):
        raise BadRequest("room_types is a list of texts and null")
    return Search(optional_field(wanted, "generic_search_term", str) or "", types)


def _place_in_list(since: str | None) -> tuple[int, bool]:
    if not since:
        return 0, False
    if since[0] not in "np" or not _is_number(since[1:]):
        raise InvalidParam("This is no place in the list")
    return int(since[1:]), since[0] == "p"


def _place_in_space(token: str | None, same: str) -> int:
    if not token:
        return 0
    place, _, rest = token.partition("_")
    if not _is_number(place) or rest != same:
        raise InvalidParam("max_depth and suggested_only are those of the first request")
    return int(place)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
