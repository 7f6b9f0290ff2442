"""Walks along auth links, shared by the stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from server.rooms.event import Event, StateKey

_NOWHERE: AbstractSet[str] = frozenset()


def auth_chain(
    event_ids: Iterable[str], events: Mapping[str, Event], beyond: AbstractSet[str] = _NOWHERE
) -> set[str]:
    """The events themselves and all that they rest on; unknown ids and those in ``beyond`` end a path."""
    chain: set[str] = set()
    waiting = [event_id for event_id in event_ids if event_id not in beyond]
    while waiting:
        event_id = waiting.pop()
        event = events.get(event_id)
        if event is not None and event_id not in chain:
            chain.add(event_id)
            waiting.extend(link for link in event.auth_events if link not in chain and link not in beyond)
    return chain


def authority_for(event: Event, key: StateKey, events: Mapping[str, Event]) -> Event | None:
    """The event with ``key`` among the auth events of ``event``; the create event also where version 12 implies it."""
    for event_id in event.auth_events:
        authority = events.get(event_id)
        if authority is not None and (authority.type, authority.state_key) == key:
            return authority
    if event.version.room_id_is_create_hash and key[0] == "m.room.create":
        return events.get(f"${event.room_id[1:]}")
    return None
