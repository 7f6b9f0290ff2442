"""Which state of a room a device wants (MSC4186, ``required_state``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from server.rooms.event import Event, StateKey

ANY = "*"


@dataclass(frozen=True, slots=True)
class StateWish:
    """Pairs of type and state key, each of which may be ``*``; with ``lazy`` also the members who speak."""

    pairs: frozenset[StateKey]
    lazy: bool = False

    def with_also(self, other: StateWish) -> StateWish:
        """What either of both wants."""
        return _together(self, other)

    def wants(self, key: StateKey) -> bool:
        """Whether the state of a key is wanted, lazy members apart."""
        pairs, (kind, state_key) = self.pairs, key
        return key in pairs or (kind, ANY) in pairs or (ANY, state_key) in pairs or (ANY, ANY) in pairs

    def of(self, state: Mapping[StateKey, Event]) -> list[Event]:
        """The wanted events of a state, lazy members apart."""
        exact, kinds, needs_all = _sorted(self)
        if needs_all:
            return [event for key, event in state.items() if self.wants(key)]
        found = [state[key] for key in exact if key in state]
        if kinds:
            found += [event for (kind, _), event in state.items() if kind in kinds]
        return found

    def beyond(self, other: StateWish, events: Iterable[Event]) -> list[Event]:
        """Those of ``events`` that ``other`` has not asked for."""
        return [event for event in events if not other.wants(event.key)]


NO_STATE = StateWish(frozenset())


@lru_cache(2_000)
def _together(one: StateWish, other: StateWish) -> StateWish:
    return StateWish(one.pairs | other.pairs, one.lazy or other.lazy)


@lru_cache(2_000)
def _sorted(wish: StateWish) -> tuple[tuple[StateKey, ...], frozenset[str], bool]:
    """Single keys, whole types, and whether there is a pattern that fits many types."""
    kinds = frozenset(kind for kind, state_key in wish.pairs if state_key == ANY)
    exact = tuple(sorted(pair for pair in wish.pairs if pair[0] not in kinds))
    return exact, kinds, any(kind == ANY for kind, _ in wish.pairs)
