"""What is asked of a state before it is set, beyond the rules of the room: names, servers, comings and goings."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import Forbidden
from server.http.requests import require_may_speak
from server.http.room_services import ROOMS
from server.matrix_api.alias_checks import check_canonical_alias
from server.matrix_api.invite_permission import require_takes_invitations
from server.matrix_api.notice_rooms import require_may_leave_room
from server.rooms.guests import admits_guests
from server.rooms.send_event import VOUCHER
from server.rooms.server_acl import ACL, require_own_server

_MEMBER = "m.room.member"


async def check_state(
    request: web.Request, who: Caller, room_id: str, key: tuple[str, str], content: dict[str, Any]
) -> dict[str, Any]:
    """The content that may be set as the state of ``key`` (type, state key); raises ``Refused``."""
    kind, state_key = key
    if key == (_MEMBER, who.user_id) and content.get("membership") == "leave":
        await require_may_leave_room(request, room_id)
    else:
        require_may_speak(request, who)
    if kind == _MEMBER:
        return await _checked_member(request, who, room_id, state_key, content)
    if kind == "m.room.canonical_alias":
        await check_canonical_alias(request.app[ROOMS], room_id, content)
    elif kind == ACL:
        require_own_server(content, request.app[ROOMS].sender.identity.server_name)
    return content


async def _checked_member(
    request: web.Request, who: Caller, room_id: str, user_id: str, content: dict[str, Any]
) -> dict[str, Any]:
    """Guests join only where they are admitted; whether somebody vouches for a member is not for the member to say."""
    membership = content.get("membership")
    if membership == "invite":
        require_takes_invitations(request, user_id)
    elif membership == "join" and who.is_guest:
        room = await request.app[ROOMS].rooms.find(room_id)
        if room is not None and not admits_guests(room):
            raise Forbidden("Guests may not join this room", code="M_GUEST_ACCESS_FORBIDDEN")
    return {name: value for name, value in content.items() if name != VOUCHER}
