"""An invitation that is withdrawn, or a knock that is turned away, while none of us is in the room."""

from __future__ import annotations

from federation.serving.services import Federation
from server.foundation.errors import Forbidden
from server.foundation.ids import server_name_of
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom


async def take_withdrawal(federation: Federation, origin: str, room: LiveRoom, event: Event) -> None:
    """Believe that somebody of ours is not wanted any more.

    The rules of a room that we do not see cannot be asked. So only who has invited may withdraw that, and only who
    has seen a knock, for the event rests on it, may turn it away. Raises ``Forbidden`` for everything else.
    """
    if event.type != "m.room.member" or event.content.get("membership") not in ("leave", "ban"):
        raise Forbidden("Nobody here is in this room")
    guest = event.state_key or ""
    member = room.member(guest)
    if member is None or server_name_of(guest) != federation.identity.server_name:
        raise Forbidden("This is nobody of ours")
    if event.sender == guest or server_name_of(event.sender) != origin or member.event_id not in event.auth_events:
        raise Forbidden("This is no withdrawal")
    membership = member.content.get("membership")
    if membership == "knock" or (membership == "invite" and member.sender == event.sender):
        await federation.arrivals.be_told(event, (), room.version)
        return
    raise Forbidden("Only who has invited may withdraw that")
