"""Profiles (spec, "Profiles")."""

from __future__ import annotations

from aiohttp import web

from server.accounts.profiles import OLD_FIELDS
from server.foundation.errors import Forbidden, MissingParam
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import json_body, speaker
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Reading everybody's profile, changing one's own."""
    doors.get("v3/profile/{user_id}", get_profile)
    doors.get("v3/profile/{user_id}/{field}", get_field)
    doors.put("v3/profile/{user_id}/{field}", set_field)
    doors.delete("v3/profile/{user_id}/{field}", clear_field)


async def get_profile(request: web.Request) -> web.Response:
    """GET profile/{user_id}"""
    user_id = await _someone(request)
    return json_answer(await request.app[ACCOUNTS].profiles.get(user_id))


async def get_field(request: web.Request) -> web.Response:
    """GET profile/{user_id}/{field}; the two old fields answer an empty object where they are not set."""
    user_id, name = await _someone(request), request.match_info["field"]
    profiles = request.app[ACCOUNTS].profiles
    if name in OLD_FIELDS and name not in await profiles.get(user_id):
        return json_answer({})
    return json_answer({name: await profiles.field(user_id, name)})


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


async def _someone(request: web.Request) -> str:
    user_id = str(UserId.parse(request.match_info["user_id"]))
    await request.app[ACCOUNTS].users.get(user_id)
    return user_id


async def _own(request: web.Request) -> str:
    known = await speaker(request)
    if request.match_info["user_id"] != known.user_id:
        raise Forbidden("This is somebody else's profile")
    return known.user_id
