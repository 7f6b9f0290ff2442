"""State resolution 2.1 (MSC4297), definition "conflicted state subgraph"."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from server.rooms.event import Event
from server.rooms.state_resolution.auth_chains import auth_chain


def conflicted_subgraph(conflicted: AbstractSet[str], events: Mapping[str, Event]) -> set[str]:
    """Every event on a path of auth links from one conflicted event to another, the ends included.

    These are the events below a conflicted event (its auth chain) that also stand above one.
    """
    below = auth_chain(conflicted, events)
    rest_on: dict[str, list[str]] = {}
    for event_id in below:
        for link in events[event_id].auth_events:
            rest_on.setdefault(link, []).append(event_id)
    subgraph: set[str] = set()
    waiting = [event_id for event_id in conflicted if event_id in below]
    while waiting:
        event_id = waiting.pop()
        if event_id not in subgraph:
            subgraph.add(event_id)
            waiting.extend(rest_on.get(event_id, ()))
    return subgraph
