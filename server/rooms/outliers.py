"""Events that are kept only because others rest on them: auth events, and the state of a room before our time.

Each is judged by what it rests on itself (checks 4 of "Checks performed on receipt of a PDU"); the state before it is
not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from server.foundation.errors import BadRequest, Forbidden
from server.rooms.auth_rules import check_auth, check_auth_events
from server.rooms.event import Event
from server.rooms.forks import with_create
from server.rooms.placement import State


def in_order(events: Mapping[str, Event], links: str = "auth_events") -> list[Event]:
    """Events after all that they link to by ``auth_events`` or ``prev_events``. Raises ``BadRequest`` on a circle."""
    oldest_first = sorted(events.values(), key=lambda event: (event.depth, event.origin_server_ts, event.event_id))
    graph = {event.event_id: [link for link in getattr(event, links) if link in events] for event in oldest_first}
    try:
        return [events[event_id] for event_id in TopologicalSorter(graph).static_order()]
    except CycleError:
        raise BadRequest("Events rest on each other in a circle") from None


def judge_by_authorities(
    events: Iterable[Event], known: Mapping[str, Event], rejected: Iterable[str] = ()
) -> tuple[list[Event], set[str]]:
    """Those of ``events`` whose authorities are all at hand, in order, and the ids of all that are rejected.

    ``known`` are events that were judged before, ``rejected`` the ids of those among them that were rejected.
    """
    fresh = {event.event_id: event for event in events if event.event_id not in known}
    at_hand, bad, kept = dict(known), set(rejected), list[Event]()
    for event in in_order(fresh):
        if any(link not in at_hand for link in event.auth_events):
            continue
        authorities = [at_hand[link] for link in event.auth_events]
        create_id = f"${event.room_id[1:]}"
        if not is_authorised(event, authorities, known.get(create_id) or fresh.get(create_id), bad):
            bad.add(event.event_id)
        at_hand[event.event_id] = event
        kept.append(event)
    return kept, bad


def is_allowed(event: Event, state: State) -> bool:
    """Whether the rules let an event pass in this state."""
    try:
        check_auth(event, state)
    except Forbidden:
        return False
    return True


def is_authorised(event: Event, authorities: list[Event], create: Event | None, rejected: set[str]) -> bool:
    """Whether what an event names as its authority may be named, and allows it."""
    try:
        check_auth_events(event, authorities, rejected)
        check_auth(event, with_create(event, authorities, create))
    except Forbidden:
        return False
    return True
