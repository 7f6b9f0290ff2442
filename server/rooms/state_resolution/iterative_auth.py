"""State resolution, "iterative auth checks algorithm"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from server.foundation.errors import Forbidden
from server.rooms.auth_rules import auth_types_for, check_auth
from server.rooms.auth_rules.power_levels import CREATE
from server.rooms.event import Event, StateKey
from server.rooms.state_resolution.auth_chains import authority_for


def apply_allowed(
    event_ids: Iterable[str], state: dict[StateKey, str], events: Mapping[str, Event], rejected: AbstractSet[str]
) -> None:
    """Set each event in ``state``, in order, that the rules allow against the state so far. Changes ``state``.

    An event that was rejected on receipt stays outside: all deployed servers hold to that.
    """
    for event_id in event_ids:
        event = events[event_id]
        if event_id not in rejected and event.state_key is not None and _is_allowed(event, state, events, rejected):
            state[event.key] = event_id


def _is_allowed(
    event: Event, state: Mapping[StateKey, str], events: Mapping[str, Event], rejected: AbstractSet[str]
) -> bool:
    try:
        check_auth(event, _state_for(event, state, events, rejected))
    except Forbidden:
        return False
    return True


def _state_for(
    event: Event, state: Mapping[StateKey, str], events: Mapping[str, Event], rejected: AbstractSet[str]
) -> dict[StateKey, Event]:
    """The event's own auth events, and over them what the state so far holds for the same keys."""
    found: dict[StateKey, Event] = {}
    create = authority_for(event, CREATE, events)
    if create is not None:
        found[CREATE] = create
    for auth_id in event.auth_events:
        authority = events.get(auth_id)
        if authority is not None and authority.state_key is not None and auth_id not in rejected:
            found[authority.key] = authority
    for key in auth_types_for(event.type, event.sender, event.state_key, event.content, event.version):
        current = state.get(key)
        if current is not None and current not in rejected and current in events:
            found[key] = events[current]
    return found
