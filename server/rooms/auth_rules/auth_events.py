"""Authorization rule 2 (3 in version 12): the events that an event names as its authority."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from server.foundation.errors import Forbidden
from server.rooms.auth_rules.power_levels import CREATE
from server.rooms.auth_rules.selection import auth_types_for
from server.rooms.event import Event, StateKey

_NONE: AbstractSet[str] = frozenset()


def check_auth_events(event: Event, auth_events: Sequence[Event], rejected: AbstractSet[str] = _NONE) -> None:
    """``auth_events`` are all those that ``event`` names; ``rejected`` the ids of those that were rejected here.

    Raises ``Forbidden``. A create event names none and is judged by rule 1 alone.
    """
    if event.type == "m.room.create":
        return
    expected = auth_types_for(event.type, event.sender, event.state_key, event.content, event.version)
    seen: set[StateKey] = set()
    for authority in auth_events:
        key = (authority.type, "" if authority.state_key is None else authority.state_key)
        if authority.room_id != event.room_id:  # 2.5
            raise Forbidden("The event rests on an event of another room")
        if key in seen:  # 2.1
            raise Forbidden("The event rests on two events for the same thing")
        if key not in expected or authority.state_key is None:  # 2.2
            raise Forbidden("The event rests on an event that has no bearing on it")
        if authority.event_id in rejected:  # 2.3
            raise Forbidden("The event rests on a rejected event")
        seen.add(key)
    if not event.version.room_id_is_create_hash and CREATE not in seen:  # 2.4
        raise Forbidden("The event does not name the create event")
