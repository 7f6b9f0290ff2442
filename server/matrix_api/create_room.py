"""Door: ``POST /createRoom``."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.foundation.errors import BadRequest, Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import UserId, server_name_of
from server.http.answers import json_answer
from server.http.ghosts import require_alias_allowed
from server.http.keys import ACCOUNTS, SETTINGS
from server.http.requests import json_body, optional_field, speaking_member
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.matrix_api.invite_permission import require_takes_invitations
from server.rooms.create_room import PRESETS, RoomPlan
from server.rooms.room_versions import CREATABLE, room_version

_MOST_INVITES = 500


def add_routes(doors: Doors) -> None:
    """Register the door of this file."""
    doors.post("v3/createRoom", create_room)


async def create_room(request: web.Request) -> web.Response:
    """Create a room as the body says; all of it or nothing."""
    who = await speaking_member(request)
    body = await json_body(request)
    services = request.app[ROOMS]
    _require_no_addresses(body)
    alias = _alias(request, body)
    if alias is not None:
        require_alias_allowed(request, alias, who)
        await services.aliases.require_free(alias)
    plan = await _plan(request, body, who.user_id, alias)
    room = await services.creator.create(plan)
    await _invite_far(request, room.room_id, plan)
    return json_answer({"room_id": room.room_id, **({"room_alias": alias} if alias else {})})


async def _invite_far(request: web.Request, room_id: str, plan: RoomPlan) -> None:
    """Those of other servers; where one of these does not answer, the others are invited all the same."""
    failed: Refused | None = None
    for user_id in plan.invite:
        if server_name_of(user_id) != request.app[SETTINGS].server_name:
            try:
                await request.app[ROOMS].membership.invite(room_id, plan.creator, user_id, is_direct=plan.is_direct)
            except Refused as fault:
                failed = fault
    if failed is not None:
        raise failed


async def _plan(request: web.Request, body: dict[str, Any], creator: str, alias: str | None) -> RoomPlan:
    accounts = request.app[ACCOUNTS]
    visibility = optional_field(body, "visibility", str) or "private"
    if visibility not in ("public", "private"):
        raise InvalidParam("visibility is public or private")
    preset = optional_field(body, "preset", str) or ("public_chat" if visibility == "public" else "private_chat")
    if preset not in PRESETS:
        raise InvalidParam("This preset is not known")
    version = room_version(optional_field(body, "room_version", str) or request.app[SETTINGS].rooms.default_version)
    if version.name not in CREATABLE:
        raise InvalidParam("Rooms of this version cannot be made here", code="M_UNSUPPORTED_ROOM_VERSION")
    invite = await _invite(request, body, creator)
    return RoomPlan(
        creator=creator,
        version=version,
        preset=preset,
        name=optional_field(body, "name", str),
        topic=optional_field(body, "topic", str),
        alias=alias,
        invite=invite,
        is_direct=bool(optional_field(body, "is_direct", bool)),
        listed=visibility == "public",
        creation_content=_creation_content(body),
        power_levels=optional_field(body, "power_level_content_override", dict) or {},
        initial_state=tuple(_initial_state(body)),
        profile=await accounts.member_profile(creator),
        profiles={user_id: await accounts.member_profile(user_id) for user_id in invite},
    )


def _require_no_addresses(body: dict[str, Any]) -> None:
    """Who is invited by mail or telephone is looked up by an identity server, and this node asks none."""
    if optional_field(body, "invite_3pid", list):
        raise Forbidden("People are invited by their user id here", code="M_THREEPID_DENIED")


def _alias(request: web.Request, body: dict[str, Any]) -> str | None:
    localpart = optional_field(body, "room_alias_name", str)
    return None if localpart is None else request.app[ROOMS].aliases.full(localpart)


def _creation_content(body: dict[str, Any]) -> dict[str, Any]:
    content = dict(optional_field(body, "creation_content", dict) or {})
    content.pop("room_version", None)
    creators = content.get("additional_creators")
    if creators is not None:
        if not isinstance(creators, list):
            raise InvalidParam("additional_creators is a list of user ids")
        for user_id in creators:
            UserId.parse(user_id)
    return content


def _initial_state(body: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for item in optional_field(body, "initial_state", list) or []:
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            raise BadRequest("initial_state is a list of state events")
        content, state_key = item.get("content"), item.get("state_key", "")
        if not isinstance(content, dict) or not isinstance(state_key, str):
            raise BadRequest("initial_state is a list of state events")
        found.append((item["type"], state_key, content))
    return found


async def _invite(request: web.Request, body: dict[str, Any], creator: str) -> tuple[str, ...]:
    invited = optional_field(body, "invite", list) or []
    if len(invited) > _MOST_INVITES:
        raise InvalidParam(f"At most {_MOST_INVITES} people can be invited at once")
    accounts = request.app[ACCOUNTS]
    server_name = request.app[SETTINGS].server_name
    for user_id in invited:
        if UserId.parse(user_id).server_name == server_name and not await accounts.user_exists(user_id):
            raise NotFound("One of the invited does not exist here")
        require_takes_invitations(request, user_id)
    return tuple(dict.fromkeys(user_id for user_id in invited if user_id != creator))
