"""What a room for server notices is (spec, "Server Notices"), and that its one reader stays in it."""

from __future__ import annotations

from typing import Any, Final

from server.foundation.errors import Forbidden
from server.foundation.ids import random_letters
from server.rooms.create_room import RoomPlan
from server.rooms.live_room import LiveRoom
from server.rooms.room_versions import RoomVersion

# In the creation content; it counts only where the node's own account is the creator.
MARK: Final = "jp.kairan.server_notices"
NAME: Final = "サーバーからのお知らせ"

Content = dict[str, Any]


def is_notice_room(room: LiveRoom, node_user_id: str) -> bool:
    """Whether a room is for notices of this node. Costs no SQL."""
    created = room.state.get(("m.room.create", ""))
    return created is not None and created.sender == node_user_id and created.content.get(MARK) is True


def require_may_leave(room: LiveRoom | None, node_user_id: str) -> None:
    """Raise ``Forbidden`` where nobody may leave, nor turn the invitation down."""
    if room is not None and is_notice_room(room, node_user_id):
        raise Forbidden("Nobody can leave the room in which the server tells what one must know",
                        code="M_CANNOT_LEAVE_SERVER_NOTICE_ROOM")


def notice_plan(*, node: str, version: RoomVersion, user_id: str, profile: Content, user_profile: Content) -> RoomPlan:
    """A room in which the node speaks and ``user_id`` reads."""
    users = {} if version.creators_have_infinite_power else {node: 100}
    levels = {
        "users": users, "users_default": 0, "events": {}, "events_default": 50, "state_default": 100, "invite": 100,
        "kick": 100, "ban": 100, "redact": 100,
    }
    return RoomPlan(
        creator=node,
        version=version,
        name=NAME,
        creation_content={MARK: True, "jp.kairan.nonce": random_letters(8)},
        power_levels=levels,
        initial_state=(("m.room.guest_access", "", {"guest_access": "forbidden"}),),
        invite=(user_id,),
        profile=profile,
        profiles={user_id: user_profile},
    )
