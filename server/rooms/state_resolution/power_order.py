"""State resolution, step 1: the power events in "reverse topological power ordering"."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from server.rooms.auth_rules import power_of
from server.rooms.auth_rules.power_levels import CREATE, POWER_LEVELS
from server.rooms.event import Event
from server.rooms.state_resolution.auth_chains import authority_for

_POWER_TYPES = ("m.room.power_levels", "m.room.join_rules", "m.room.create")

# Greater power first, then the older, then the smaller id.
_Rank = tuple[int, int, str]


def power_events_in_order(conflicted: AbstractSet[str], events: Mapping[str, Event]) -> list[str]:
    """The power events of the full conflicted set and what they rest on inside that set, each after its authorities."""
    links = _links_of_power_events(conflicted, events)
    ranks = {event_id: _rank(events[event_id], events) for event_id in links}
    return _in_order(links, ranks)


def is_power_event(event: Event) -> bool:
    """State that can take power away: power levels, join rules, the create event, removal of somebody else."""
    if event.state_key is None:
        return False
    if event.type == "m.room.member":
        return event.content.get("membership") in ("leave", "ban") and event.sender != event.state_key
    return event.type in _POWER_TYPES and event.state_key == ""


def _links_of_power_events(conflicted: AbstractSet[str], events: Mapping[str, Event]) -> dict[str, set[str]]:
    """Auth links between the events to be ordered. They are followed only inside the full conflicted set."""
    links: dict[str, set[str]] = {}
    waiting = [event_id for event_id in conflicted if is_power_event(events[event_id])]
    while waiting:
        event_id = waiting.pop()
        if event_id not in links:
            links[event_id] = set(events[event_id].auth_events) & conflicted
            waiting.extend(links[event_id])
    return links


def _rank(event: Event, events: Mapping[str, Event]) -> _Rank:
    return (-_power_of_sender(event, events), event.origin_server_ts, event.event_id)


def _power_of_sender(event: Event, events: Mapping[str, Event]) -> int:
    """By the power levels and the creator that the event itself names."""
    named = {key: authority_for(event, key, events) for key in (CREATE, POWER_LEVELS)}
    state = {key: authority for key, authority in named.items() if authority is not None}
    return power_of(state, event.version).of_user(event.sender)


def _in_order(links: Mapping[str, AbstractSet[str]], ranks: Mapping[str, _Rank]) -> list[str]:
    """Kahn's algorithm from the oldest event on, the best rank first among those that are free."""
    missing = {event_id: len(authorities) for event_id, authorities in links.items()}
    resting_on: dict[str, list[str]] = {event_id: [] for event_id in links}
    for event_id, authorities in links.items():
        for authority in authorities:
            resting_on[authority].append(event_id)
    free = [ranks[event_id] for event_id, count in missing.items() if count == 0]
    heapq.heapify(free)
    return list(_take_free(free, resting_on, missing, ranks))


def _take_free(
    free: list[_Rank], resting_on: Mapping[str, list[str]], missing: dict[str, int], ranks: Mapping[str, _Rank]
) -> Iterable[str]:
    while free:
        event_id = heapq.heappop(free)[2]
        yield event_id
        for later in resting_on[event_id]:
            missing[later] -= 1
            if missing[later] == 0:
                heapq.heappush(free, ranks[later])
