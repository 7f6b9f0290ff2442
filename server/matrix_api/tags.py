"""Tags of rooms (spec, "Room Tagging")."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.foundation.errors import InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import json_body, member, require_self
from server.http.routes import Doors

_ALL: Final = "v3/user/{user_id}/rooms/{room_id}/tags"


def add_routes(doors: Doors) -> None:
    """Reading all, setting and removing one."""
    doors.get(_ALL, get_tags)
    doors.put(f"{_ALL}/{{tag}}", put_tag)
    doors.delete(f"{_ALL}/{{tag}}", delete_tag)


async def get_tags(request: web.Request) -> web.Response:
    """GET …/tags"""
    return json_answer({"tags": await request.app[ACCOUNTS].tags.of_room(*await _place(request))})


async def put_tag(request: web.Request) -> web.Response:
    """PUT …/tags/{tag}"""
    user_id, room_id = await _place(request)
    info = await json_body(request)
    await request.app[ACCOUNTS].tags.put(user_id, room_id, request.match_info["tag"], info)
    return json_answer({})


async def delete_tag(request: web.Request) -> web.Response:
    """DELETE …/tags/{tag}"""
    user_id, room_id = await _place(request)
    await request.app[ACCOUNTS].tags.remove(user_id, room_id, request.match_info["tag"])
    return json_answer({})


async def _place(request: web.Request) -> tuple[str, str]:
    known = await member(request)
    require_self(known, request.match_info["user_id"])
    room_id = request.match_info["room_id"]
    if not room_id.startswith("!"):
        raise InvalidParam("Not a room id")
    return known.user_id, room_id
