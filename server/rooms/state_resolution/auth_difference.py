"""State resolution, definition "auth difference": what some, but not all state sets rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from server.rooms.event import Event
from server.rooms.state_resolution.auth_chains import auth_chain


def auth_difference(
    shares: Sequence[AbstractSet[str]], unconflicted: Iterable[str], events: Mapping[str, Event]
) -> set[str]:
    """Event ids in the full auth chain of some state set, but not of all.

    ``shares`` are the conflicted events of each state set. What all sets share is in every chain, so that only the
    conflicted part is walked first, and the rest only where something remains to be struck out.
    """
    chains = [auth_chain(share, events) for share in shares]
    difference = set().union(*chains) - chains[0].intersection(*chains[1:])
    if difference:
        difference -= auth_chain(unconflicted, events)
    return difference
