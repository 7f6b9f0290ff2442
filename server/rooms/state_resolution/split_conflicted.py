"""State resolution, definition "unconflicted state map and conflicted state set"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from server.rooms.event import StateKey


def split_conflicted(
    state_sets: Sequence[Mapping[StateKey, str]],
) -> tuple[dict[StateKey, str], set[str], list[set[str]]]:
    """Unconflicted state, the conflicted event ids, and which of these each state set holds.

    A key is unconflicted where every set has the same event for it; an event that some set lacks is conflicted.
    """
    agreed = set(state_sets[0].items())
    for state_set in state_sets[1:]:
        agreed.intersection_update(state_set.items())
    unconflicted = dict(agreed)
    shares = [
        {event_id for key, event_id in state_set.items() if key not in unconflicted} for state_set in state_sets
    ]
    return unconflicted, set().union(*shares), shares
