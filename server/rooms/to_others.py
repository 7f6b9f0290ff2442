"""Which events leave the node, and for whom: a projection that fills the outbox in the event's own transaction."""

from __future__ import annotations

from typing import Final

from server.foundation.ids import server_name_of
from server.outbox.outbox import Outbox
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.server_acl import ACL, is_admitted
from server.rooms.timeline import Entry
from server.storage.database import Writes

_URGENT: Final = "jp.kairan.safety."
_ALERTS: Final = "jp.kairan.broadcast"


class ToOthers:
    """Sends what happens here to the other servers of a room."""

    def __init__(self, outbox: Outbox, server_name: str) -> None:
        self._outbox = outbox
        self._server_name = server_name

    def project(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A projection: events of our own people go to all servers in the room."""
        event = entry.event
        if server_name_of(event.sender) == self._server_name:
            destinations = self._destinations(room, event)
            if destinations:
                self._send(room, entry, destinations, writes)

    def relay(self, room: LiveRoom, entry: Entry, origin: str, writes: Writes) -> None:
        """Hand on what somebody of another server has done through us (a join, a leave, a knock)."""
        self._send(room, entry, room.other_servers() - {origin}, writes)

    def _destinations(self, room: LiveRoom, event: Event) -> set[str]:
        found = room.other_servers()
        if event.type == "m.room.member" and event.state_key is not None:
            # Who is put out hears of it, too; an invitation has been at its server already.
            server = server_name_of(event.state_key)
            if server != self._server_name and event.content.get("membership") != "invite":
                found.add(server)
        return found

    def _send(self, room: LiveRoom, entry: Entry, destinations: set[str], writes: Writes) -> None:
        acl = room.content(ACL) if (ACL, "") in room.state else None
        admitted = [server for server in destinations if acl is None or is_admitted(acl, server)]
        urgent = is_urgent(entry.event)
        self._outbox.add_event(writes, admitted, entry.event.event_id, entry.stream, urgent=urgent)


def is_urgent(event: Event) -> bool:
    """Whether an event overtakes others on its way out: safety checks, and alerts of a city."""
    if event.type == _ALERTS:
        return event.content.get("priority") == "alert"
    return event.type.startswith(_URGENT)
