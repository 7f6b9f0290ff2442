"""State resolution, "Algorithm": the stages in the order of the specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from server.rooms.auth_rules.power_levels import POWER_LEVELS
from server.rooms.event import Event, StateKey
from server.rooms.room_versions import RoomVersion
from server.rooms.state_resolution.auth_difference import auth_difference
from server.rooms.state_resolution.conflicted_subgraph import conflicted_subgraph
from server.rooms.state_resolution.iterative_auth import apply_allowed
from server.rooms.state_resolution.mainline_order import in_mainline_order
from server.rooms.state_resolution.power_order import power_events_in_order
from server.rooms.state_resolution.split_conflicted import split_conflicted

_NONE: AbstractSet[str] = frozenset()


def resolve(
    version: RoomVersion,
    state_sets: Sequence[Mapping[StateKey, str]],
    events: Mapping[str, Event],
    rejected: AbstractSet[str] = _NONE,
) -> dict[StateKey, str]:
    """The one state that follows from ``state_sets``, each a map from key to event id.

    ``events`` holds every event of the sets and of their auth chains; ids that it lacks are passed over. ``rejected``
    are the ids of the events that were rejected on receipt.
    """
    if not state_sets:
        return {}
    unconflicted, conflicted, shares = split_conflicted(state_sets)
    if not conflicted:
        return unconflicted
    full = conflicted | auth_difference(shares, unconflicted.values(), events)
    if version.state_resolution_2_1:
        full |= conflicted_subgraph(conflicted, events)
    full &= events.keys()
    state: dict[StateKey, str] = {} if version.state_resolution_2_1 else dict(unconflicted)
    power_events = power_events_in_order(full, events)  # 1
    apply_allowed(power_events, state, events, rejected)  # 2
    remaining = in_mainline_order(full.difference(power_events), state.get(POWER_LEVELS), events)  # 3
    apply_allowed(remaining, state, events, rejected)  # 4
    state.update(unconflicted)  # 5
    return state
