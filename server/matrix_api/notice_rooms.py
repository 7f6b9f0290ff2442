"""What the doors of rooms ask about rooms for server notices."""

from __future__ import annotations

from aiohttp import web

from server.association.members.members import NODE_LOCALPART
from server.http.room_services import ROOMS
from server.rooms.notice_rooms import require_may_leave


async def require_may_leave_room(request: web.Request, room_id: str) -> None:
    """Raise ``Forbidden`` (``M_CANNOT_LEAVE_SERVER_NOTICE_ROOM``) for a room in which the caller must stay."""
    services = request.app[ROOMS]
    node = f"@{NODE_LOCALPART}:{services.sender.identity.server_name}"
    require_may_leave(await services.rooms.find(room_id), node)
