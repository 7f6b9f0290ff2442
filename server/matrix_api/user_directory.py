"""Finding people (spec, "User Directory"): those whom the caller shares a room with, or meets in a public room."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.accounts import Accounts
from server.foundation.errors import InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import field, json_body, member, optional_field
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.rooms.live_room import LiveRoom

_MEMBER: Final = "m.room.member"
_DEFAULT_LIMIT: Final = 10
_MOST: Final = 50


def add_routes(doors: Doors) -> None:
    """The search."""
    doors.post("v3/user_directory/search", search)


async def search(request: web.Request) -> web.Response:
    """POST user_directory/search"""
    known = await member(request)
    body = await json_body(request)
    term = field(body, "search_term", str).lower().strip()
    limit = optional_field(body, "limit", int)
    if limit is not None and limit < 0:
        raise InvalidParam("limit must not be negative")
    most = min(_DEFAULT_LIMIT if limit is None else limit, _MOST)
    matching = _matching(await _rooms_in_sight(request, known.user_id), term)
    matching.pop(known.user_id, None)
    results = [await _as_json(request.app[ACCOUNTS], *item) for item in sorted(matching.items())[:most]]
    return json_answer({"results": results, "limited": len(matching) > most})


async def _rooms_in_sight(request: web.Request, user_id: str) -> list[LiveRoom]:
    services = request.app[ROOMS]
    feed = await services.feeds.of(user_id)
    shared = [await services.rooms.get(place.room_id) for place in feed.rooms_with("join")]
    return shared + [room for room in services.rooms.in_use() if _is_public(room)]


def _is_public(room: LiveRoom) -> bool:
    """Anybody may join it, or read it without."""
    rules = room.state.get(("m.room.join_rules", ""))
    visibility = room.state.get(("m.room.history_visibility", ""))
    return (rules is not None and rules.content.get("join_rule") == "public") or (
        visibility is not None and visibility.content.get("history_visibility") == "world_readable"
    )


def _matching(rooms: list[LiveRoom], term: str) -> dict[str, dict[str, Any]]:
    """Members whose id or name holds ``term``, with what a room shows of them."""
    found: dict[str, dict[str, Any]] = {}
    for room in rooms:
        for user_id in room.joined:
            event = room.state.get((_MEMBER, user_id))
            shown = event.content if event is not None else {}
            name = shown.get("displayname")
            if term in user_id.lower() or (isinstance(name, str) and term in name.lower()):
                found.setdefault(user_id, shown)
    return found


async def _as_json(accounts: Accounts, user_id: str, shown: dict[str, Any]) -> dict[str, Any]:
    """People of this node with their profile as it is now, others as the room shows them."""
    profile = await accounts.member_profile(user_id) if accounts.users.is_ours(user_id) else shown
    result = {"user_id": user_id}
    for name, key in (("displayname", "display_name"), ("avatar_url", "avatar_url")):
        if isinstance(profile.get(name), str):
            result[key] = profile[name]
    return result
