"""Doors: invite, join, knock, leave, kick, ban, unban, forget (spec: "Room membership")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from server.foundation.errors import Forbidden
from server.foundation.ids import is_server_name
from server.http.answers import json_answer
from server.http.requests import caller, field, json_body, optional_field, speaker, speaking_member
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.matrix_api.invite_permission import require_takes_invitations
from server.matrix_api.notice_rooms import require_may_leave_room


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    doors.post("v3/join/{roomIdOrAlias}", join)
    doors.post("v3/knock/{roomIdOrAlias}", knock)
    doors.post("v3/rooms/{roomId}/join", join)
    doors.post("v3/rooms/{roomId}/invite", invite)
    doors.post("v3/rooms/{roomId}/leave", leave)
    doors.post("v3/rooms/{roomId}/kick", kick)
    doors.post("v3/rooms/{roomId}/ban", ban)
    doors.post("v3/rooms/{roomId}/unban", unban)
    doors.post("v3/rooms/{roomId}/forget", forget)
    doors.get("v3/joined_rooms", joined_rooms)


async def join(request: web.Request) -> web.Response:
    """Join by id or alias. What else the body says becomes part of the member event, as clients expect."""
    who = await speaker(request)
    services = request.app[ROOMS]
    body = await json_body(request)
    named = request.match_info.get("roomIdOrAlias") or request.match_info["roomId"]
    room_id, known_by = await services.aliases.find(named)
    extra = {name: value for name, value in body.items() if name not in ("reason", "third_party_signed", "via")}
    await services.membership.join(
        room_id, who.user_id, extra, _reason(body), is_guest=who.is_guest, via=[*_via(request), *known_by]
    )
    return json_answer({"room_id": room_id})


async def knock(request: web.Request) -> web.Response:
    """Ask to be let in."""
    who = await speaking_member(request)
    services = request.app[ROOMS]
    body = await json_body(request)
    room_id, known_by = await services.aliases.find(request.match_info["roomIdOrAlias"])
    await services.membership.knock(room_id, who.user_id, _reason(body), via=[*_via(request), *known_by])
    return json_answer({"room_id": room_id})


async def invite(request: web.Request) -> web.Response:
    """Invite a user, unless the user wants no invitations."""
    verb = request.app[ROOMS].membership.invite

    async def invite_willing(room_id: str, sender: str, user_id: str, reason: str | None) -> None:
        require_takes_invitations(request, user_id)
        await verb(room_id, sender, user_id, reason)

    return await _act_on_user(request, invite_willing)


async def leave(request: web.Request) -> web.Response:
    """Leave, or decline an invitation."""
    who = await caller(request)
    body = await json_body(request)
    await require_may_leave_room(request, request.match_info["roomId"])
    await request.app[ROOMS].membership.leave(request.match_info["roomId"], who.user_id, _reason(body))
    return json_answer({})


async def kick(request: web.Request) -> web.Response:
    """Remove a member."""
    return await _act_on_user(request, request.app[ROOMS].membership.kick)


async def ban(request: web.Request) -> web.Response:
    """Remove a user for good."""
    return await _act_on_user(request, request.app[ROOMS].membership.ban)


async def unban(request: web.Request) -> web.Response:
    """Take a ban back."""
    return await _act_on_user(request, request.app[ROOMS].membership.unban)


async def forget(request: web.Request) -> web.Response:
    """Do not show a left room any more."""
    who = await caller(request)
    await json_body(request)
    services = request.app[ROOMS]
    await services.membership.forget(request.match_info["roomId"], who.user_id)
    services.feeds.forget(who.user_id, request.match_info["roomId"])
    return json_answer({})


async def joined_rooms(request: web.Request) -> web.Response:
    """The rooms that one is in."""
    who = await caller(request)
    return json_answer({"joined_rooms": await request.app[ROOMS].membership.joined_rooms(who.user_id)})


# Room, who acts, on whom, and why.
_Verb = Callable[[str, str, str, str | None], Awaitable[None]]


async def _act_on_user(request: web.Request, verb: _Verb) -> web.Response:
    """What one member does to another user: both are named, a reason may be."""
    who = await speaking_member(request)
    body = await json_body(request)
    if "medium" in body and "user_id" not in body:
        raise Forbidden("People are invited by their user id here", code="M_THREEPID_DENIED")
    await verb(request.match_info["roomId"], who.user_id, field(body, "user_id", str), _reason(body))
    return json_answer({})


def _reason(body: dict[str, Any]) -> str | None:
    return optional_field(body, "reason", str)


def _via(request: web.Request) -> list[str]:
    """Servers that may know the room; ``server_name`` is how it was called before v1.12."""
    named = [*request.query.getall("via", []), *request.query.getall("server_name", [])]
    return [name for name in named if is_server_name(name)][:20]
