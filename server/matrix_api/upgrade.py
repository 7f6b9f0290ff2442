"""Door: upgrade a room (spec: "Room Upgrades")."""

from __future__ import annotations

from aiohttp import web

from server.accounts.room_moves import follow_room_move
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import field, json_body, optional_field, speaking_member, take_message
from server.http.room_services import ROOMS
from server.rooms.upgrade_room import Upgrades


async def upgrade_room(request: web.Request) -> web.Response:
    """POST rooms/{roomId}/upgrade: go on in a new room; what our members have set about the old one goes along."""
    who = await speaking_member(request)
    take_message(request, who)
    body = await json_body(request)
    services, old_id = request.app[ROOMS], request.match_info["roomId"]
    new = await Upgrades(services.rooms, services.creator, services.sender).upgrade(
        old_id, who.user_id, field(body, "new_version", str), optional_field(body, "additional_creators", list) or (),
    )
    for user_id in sorted((await services.rooms.get(old_id)).joined_here):
        await follow_room_move(request.app[ACCOUNTS], user_id, old_id, new.room_id)
    return json_answer({"replacement_room": new.room_id})
