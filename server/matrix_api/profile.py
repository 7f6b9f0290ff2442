"""Profiles (spec, "Profiles")."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.accounts.profiles import OLD_FIELDS
from server.foundation.errors import Forbidden, MissingParam, NotFound
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import json_body, speaker
from server.http.room_services import ROOMS
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Reading everybody's profile, changing one's own."""
    doors.get("v3/profile/{user_id}", get_profile)
    doors.get("v3/profile/{user_id}/{field}", get_field)
    doors.put("v3/profile/{user_id}/{field}", set_field)
    doors.delete("v3/profile/{user_id}/{field}", clear_field)


async def get_profile(request: web.Request) -> web.Response:
    """GET profile/{user_id}"""
    return json_answer(await _profile(request))


async def get_field(request: web.Request) -> web.Response:
    """GET profile/{user_id}/{field}; the two old fields answer an empty object where they are not set."""
    profile, name = await _profile(request), request.match_info["field"]
    if name not in profile:
        if name in OLD_FIELDS:
            return json_answer({})
        raise NotFound("This profile has no such field")
    return json_answer({name: profile[name]})


async def set_field(request: web.Request) -> web.Response:
    """PUT profile/{user_id}/{field}"""
    user_id, name = await _own(request), request.match_info["field"]
    body = await json_body(request)
    if name not in body:
        raise MissingParam(f"{name} is missing")
    await request.app[ACCOUNTS].profiles.set(user_id, name, body[name])
    return json_answer({})


async def clear_field(request: web.Request) -> web.Response:
    """DELETE profile/{user_id}/{field}"""
    user_id = await _own(request)
    await request.app[ACCOUNTS].profiles.clear(user_id, request.match_info["field"])
    return json_answer({})


async def _profile(request: web.Request) -> dict[str, Any]:
    """What somebody shows, here or on another server."""
    user = UserId.parse(request.match_info["user_id"])
    accounts = request.app[ACCOUNTS]
    if not accounts.users.is_ours(str(user)):
        return await request.app[ROOMS].far.profile(str(user))
    await accounts.users.get(str(user))
    return await accounts.profiles.get(str(user))


async def _own(request: web.Request) -> str:
    known = await speaker(request)
    if request.match_info["user_id"] != known.user_id:
        raise Forbidden("This is somebody else's profile")
    return known.user_id
