"""Doors: room aliases, and whether a room is in the public list (spec: "Room aliases", "Published room directory")."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.ghosts import require_alias_allowed
from server.http.keys import SETTINGS
from server.http.requests import caller, field, json_body, speaking_member
from server.http.room_services import ROOMS
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    doors.get("v3/directory/room/{roomAlias}", resolve)
    doors.put("v3/directory/room/{roomAlias}", add_alias)
    doors.delete("v3/directory/room/{roomAlias}", remove_alias)
    doors.get("v3/rooms/{roomId}/aliases", aliases)
    doors.get("v3/directory/list/room/{roomId}", is_listed)
    doors.put("v3/directory/list/room/{roomId}", set_listed)


async def resolve(request: web.Request) -> web.Response:
    """GET directory/room/{roomAlias}: the room of that name. Needs no account."""
    aliases = request.app[ROOMS].aliases
    alias = request.match_info["roomAlias"]
    if aliases.is_far(alias):
        await caller(request)  # whoever makes us ask others must be known to us
        room_id, servers = await aliases.find(alias)
        return json_answer({"room_id": room_id, "servers": servers})
    room_id = await aliases.resolve(alias)
    return json_answer({"room_id": room_id, "servers": [request.app[SETTINGS].server_name]})


async def add_alias(request: web.Request) -> web.Response:
    """PUT directory/room/{roomAlias}: give a room a name."""
    who = await speaking_member(request)
    require_alias_allowed(request, request.match_info["roomAlias"], who)
    room_id = field(await json_body(request), "room_id", str)
    await request.app[ROOMS].aliases.add(request.match_info["roomAlias"], room_id, who.user_id)
    return json_answer({})


async def remove_alias(request: web.Request) -> web.Response:
    """DELETE directory/room/{roomAlias}: take a name away."""
    who = await speaking_member(request)
    await request.app[ROOMS].aliases.remove(request.match_info["roomAlias"], who.user_id, is_admin=who.is_admin)
    return json_answer({})


async def aliases(request: web.Request) -> web.Response:
    """GET rooms/{roomId}/aliases: all names of a room on this server."""
    who = await caller(request)
    services = request.app[ROOMS]
    room_id = request.match_info["roomId"]
    await services.history.require_reader(room_id, who.user_id)
    return json_answer({"aliases": await services.aliases.of_room(room_id)})


async def is_listed(request: web.Request) -> web.Response:
    """GET directory/list/room/{roomId}: whether the room is in the public list. Needs no account."""
    listed = await request.app[ROOMS].directory.is_listed(request.match_info["roomId"])
    return json_answer({"visibility": "public" if listed else "private"})


async def set_listed(request: web.Request) -> web.Response:
    """PUT directory/list/room/{roomId}: put the room into the public list, or take it out."""
    who = await speaking_member(request)
    body = await json_body(request)
    visibility = body.get("visibility", "public")
    await request.app[ROOMS].directory.set_listed(request.match_info["roomId"], who.user_id, visibility)
    return json_answer({})
