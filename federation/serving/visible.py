"""What another server may see of a room's past (spec: "Room History Visibility", by the members it had then)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from federation.serving.services import Federation
from server.foundation.ids import server_name_of
from server.rooms.graph_store import Stored
from server.rooms.live_room import LiveRoom
from server.rooms.placement import State
from server.rooms.redaction import redact

Json = dict[str, Any]
# Who must have had which membership; all else is told, and so is what nobody understands, as the specification has it.
_HIDDEN: Final = {"joined": ("join",), "invited": ("join", "invite")}


async def pdus_for(federation: Federation, server: str, room: LiveRoom, stored: Iterable[Stored]) -> list[Json]:
    """The events as ``server`` may have them: those that it may not see without their content."""
    always_open = await federation.rooms.history.was_always_open(room)
    erased = federation.accounts.users.erased
    found = []
    for item in stored:
        # Whoever wanted to be forgotten is: other servers that were there have had it before.
        visible = item.event.sender not in erased and (always_open or await _may_see(federation, server, room, item))
        found.append(item.event.pdu if visible else redact(item.event.pdu, room.version))
    return found


async def _may_see(federation: Federation, server: str, room: LiveRoom, item: Stored) -> bool:
    if item.event.state_key is not None and item.event.type != "m.room.topic":
        return True  # it is part of the state that a member's server gets anyway
    if not item.has_state:
        return False
    return is_shown(server, (await federation.receiver.forks.read(room, item.snapshot)).state)


def is_shown(server: str, state: State) -> bool:
    """Whether what was said under this state may be told to a server, by the members that it had then."""
    event = state.get(("m.room.history_visibility", ""))
    visibility = event.content.get("history_visibility") if event is not None else None
    memberships = _HIDDEN.get(visibility) if isinstance(visibility, str) else None
    return memberships is None or any(
        kind == "m.room.member" and server_name_of(user_id) == server and event.content.get("membership") in memberships
        for (kind, user_id), event in state.items()
    )
