"""Doors: finding people, and the rooms that one shares with somebody (spec, "User Directory", "Mutual rooms")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.accounts import Accounts
from server.foundation.errors import InvalidParam
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE
from server.http.requests import field, json_body, member, optional_field, required_query
from server.rooms.user_directory import SharedRooms, UserDirectory
from server.rooms.user_directory_store import Listed

_DEFAULT_LIMIT: Final = 10
_MOST: Final = 50
_MOST_ROOMS: Final = 100
_MARK: Final = "after_"


async def search(request: web.Request) -> web.Response:
    """POST user_directory/search"""
    known = await member(request)
    body = await json_body(request)
    term = field(body, "search_term", str)
    limit = optional_field(body, "limit", int)
    if limit is not None and limit < 0:
        raise InvalidParam("limit must not be negative")
    most = min(_DEFAULT_LIMIT if limit is None else limit, _MOST)
    found, limited = await _directory(request).find(known.user_id, term, most)
    results = [await _as_json(request.app[ACCOUNTS], person) for person in found]
    return json_answer({"results": results, "limited": limited})


async def mutual_rooms(request: web.Request) -> web.Response:
    """GET mutual_rooms"""
    shared = await _shared_rooms(request, request.query.get("from"))
    answer: dict[str, Any] = {"joined": list(shared.room_ids), "count": shared.total}
    if shared.has_more:
        answer["next_batch"] = _token(shared)
    return json_answer(answer)


async def mutual_rooms_of_draft(request: web.Request) -> web.Response:
    """GET unstable/uk.half-shot.msc2666/user/mutual_rooms: the same before it was part of the specification."""
    shared = await _shared_rooms(request, request.query.get("batch_token") or request.query.get("from"))
    answer: dict[str, Any] = {"joined": list(shared.room_ids), "count": shared.total}
    if shared.has_more:
        answer["next_batch_token"] = answer["next_batch"] = _token(shared)
    return json_answer(answer)


async def _shared_rooms(request: web.Request, token: str | None) -> SharedRooms:
    known = await member(request)
    user_id = str(UserId.parse(required_query(request, "user_id")))
    if user_id == known.user_id:
        raise InvalidParam("You share all rooms with yourself")
    if token and not token.startswith(f"{_MARK}!"):
        raise InvalidParam("This is no place in the list")
    after = (token or "").removeprefix(_MARK).replace("\0", "")
    return await _directory(request).shared_rooms(known.user_id, user_id, after, _MOST_ROOMS)


def _token(shared: SharedRooms) -> str:
    return f"{_MARK}{shared.room_ids[-1]}"


def _directory(request: web.Request) -> UserDirectory:
    return UserDirectory(request.app[DATABASE])


async def _as_json(accounts: Accounts, person: Listed) -> dict[str, Any]:
    """People of this node with their profile as it is now, others as a room shows them."""
    shown: dict[str, Any] = {"displayname": person.display_name, "avatar_url": person.avatar_url}
    if accounts.users.is_ours(person.user_id):
        shown = await accounts.member_profile(person.user_id)
    result = {"user_id": person.user_id}
    for name, key in (("displayname", "display_name"), ("avatar_url", "avatar_url")):
        if isinstance(shown.get(name), str):
            result[key] = shown[name]
    return result
