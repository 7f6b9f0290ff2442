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
_OPEN: Final = ("shared", "world_readable")


async def pdus_for(federation: Federation, server: str, room: LiveRoom, stored: Iterable[Stored]) -> list[Json]:
    """The events as ``server`` may have them: those that it may not see without their content."""
    always_open = await federation.rooms.history.was_always_open(room)
    erased: dict[str, bool] = {}
    found = []
    for item in stored:
        sender = item.event.sender
        if sender not in erased:
            erased[sender] = sender in federation.accounts.users.erased
        visible = always_open or await _may_see(federation, server, room, item)
        if erased[sender] and not await _was_there(federation, server, room, item):
            visible = False
        found.append(item.event.pdu if visible else redact(item.event.pdu, room.version))
    return found


async def _may_see(federation: Federation, server: str, room: LiveRoom, item: Stored) -> bool:
    if item.event.state_key is not None and item.event.type != "m.room.topic":
        return True  # it is part of the state that a member's server gets anyway
    if not item.has_state:
        return False
    state = (await federation.receiver.forks.read(room, item.snapshot)).state
    visibility = _visibility(state)
    if visibility in _OPEN:
        return True
    return _has_member(state, server, ("join",) if visibility == "joined" else ("join", "invite"))


async def _was_there(federation: Federation, server: str, room: LiveRoom, item: Stored) -> bool:
    if not item.has_state:
        return False
    return _has_member((await federation.receiver.forks.read(room, item.snapshot)).state, server, ("join",))


def _visibility(state: State) -> str:
    event = state.get(("m.room.history_visibility", ""))
    return str(event.content.get("history_visibility", "shared")) if event is not None else "shared"


def _has_member(state: State, server: str, memberships: tuple[str, ...]) -> bool:
    return any(
        kind == "m.room.member" and server_name_of(user_id) == server and event.content.get("membership") in memberships
        for (kind, user_id), event in state.items()
    )
