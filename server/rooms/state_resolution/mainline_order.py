"""State resolution, step 3: the remaining events in "mainline ordering"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from server.rooms.auth_rules.power_levels import POWER_LEVELS
from server.rooms.event import Event
from server.rooms.state_resolution.auth_chains import authority_for


def in_mainline_order(event_ids: Iterable[str], power_event_id: str | None, events: Mapping[str, Event]) -> list[str]:
    """Ids ordered by how early in the mainline of ``power_event_id`` they stand, then by time, then by id."""
    start = events.get(power_event_id) if power_event_id is not None else None
    # Position 0 is for events that meet the mainline nowhere, 1 for its oldest power levels.
    oldest_first = [event.event_id for event in _power_line(start, events)][::-1]
    positions = {event_id: place for place, event_id in enumerate(oldest_first, start=1)}

    def rank(event_id: str) -> tuple[int, int, str]:
        event = events[event_id]
        return (_position(event, positions, events), event.origin_server_ts, event_id)

    return sorted(event_ids, key=rank)


def _power_line(event: Event | None, events: Mapping[str, Event]) -> Iterator[Event]:
    """An event, the power levels it rests on, those they rest on, and so on."""
    seen: set[str] = set()
    while event is not None and event.event_id not in seen:
        seen.add(event.event_id)
        yield event
        event = authority_for(event, POWER_LEVELS, events)


def _position(event: Event, positions: dict[str, int], events: Mapping[str, Event]) -> int:
    """Where the power line of ``event`` meets the mainline; kept for all events passed on the way."""
    passed: list[str] = []
    found = 0
    for ancestor in _power_line(event, events):
        known = positions.get(ancestor.event_id)
        if known is not None:
            found = known
            break
        passed.append(ancestor.event_id)
    positions.update(dict.fromkeys(passed, found))
    return found
