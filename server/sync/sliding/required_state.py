"""Which state of a room a device wants (MSC4186, ``required_state``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from server.rooms.event import Event, StateKey

# Stands for every type, or for every state key. No type and no state key of an event contains NUL.
ANY: Final = "\0"

_MEMBER: Final = "m.room.member"


class Pick(NamedTuple):
    """Pairs of type and state key that are wanted, each of which may be ``ANY``, save those in ``but_not``.

    ``own`` are the types whose state with the asking user as its key is wanted. With ``lazy`` the members who speak
    are wanted, and ``ANY`` as a type stands for all others but members.
    """

    pairs: frozenset[StateKey] = frozenset()
    own: frozenset[str] = frozenset()
    but_not: frozenset[StateKey] = frozenset()
    lazy: bool = False

    def wants(self, key: StateKey, user_id: str) -> bool:
        """Whether the state of a key is wanted, lazy members apart."""
        kind, state_key = key
        if not (_matches(self.pairs, kind, state_key, with_any=not self.lazy or kind != _MEMBER) or (
            state_key == user_id and (kind in self.own or ANY in self.own)
        )):
            return False
        return not (self.but_not and _matches(self.but_not, kind, state_key, with_any=True))


class StateWish(NamedTuple):
    """What is wanted by one of the picks."""

    picks: frozenset[Pick] = frozenset()

    @property
    def lazy(self) -> bool:
        """Whether the members who speak are wanted."""
        return _plan(self).lazy

    def with_also(self, other: StateWish) -> StateWish:
        """What either of both wants."""
        return _together(self, other)

    def wants(self, key: StateKey, user_id: str) -> bool:
        """Whether the state of a key is wanted, lazy members apart."""
        return any(pick.wants(key, user_id) for pick in self.picks)

    def of(self, state: Mapping[StateKey, Event], user_id: str) -> list[Event]:
        """The wanted events of a state, lazy members apart."""
        plan = _plan(self)
        if plan.needs_all:
            return [event for key, event in state.items() if self.wants(key, user_id)]
        found = {key: state[key] for key in plan.exact if key in state}
        for kind in plan.own:
            if (kind, user_id) in state:
                found[kind, user_id] = state[kind, user_id]
        if plan.kinds:
            found.update((key, event) for key, event in state.items() if key[0] in plan.kinds)
        return list(found.values())

    def beyond(self, other: StateWish, events: Iterable[Event], user_id: str) -> list[Event]:
        """Those of ``events`` that ``other`` has not asked for."""
        return [event for event in events if not other.wants(event.key, user_id)]


NO_STATE: Final = StateWish()


class _Plan(NamedTuple):
    """How to find what a wish wants: single keys, own keys, whole types, or by a look at everything."""

    exact: tuple[StateKey, ...]
    own: tuple[str, ...]
    kinds: frozenset[str]
    needs_all: bool
    lazy: bool


def _matches(pairs: frozenset[StateKey], kind: str, state_key: str, *, with_any: bool) -> bool:
    return (kind, state_key) in pairs or (kind, ANY) in pairs or (
        with_any and ((ANY, state_key) in pairs or (ANY, ANY) in pairs)
    )


@lru_cache(2_000)
def _together(one: StateWish, other: StateWish) -> StateWish:
    """Picks without exceptions become one; the others stay as they are."""
    picks = one.picks | other.picks
    plain = [pick for pick in picks if not pick.but_not and not any(kind == ANY for kind, _ in pick.pairs)]
    joined = Pick(
        frozenset[StateKey]().union(*(pick.pairs for pick in plain)),
        frozenset[str]().union(*(pick.own for pick in plain)), lazy=any(pick.lazy for pick in plain),
    )
    return StateWish((picks - frozenset(plain)) | {joined} if plain else picks)


@lru_cache(2_000)
def _plan(wish: StateWish) -> _Plan:
    pairs = frozenset[StateKey]().union(*(pick.pairs for pick in wish.picks))
    own = frozenset[str]().union(*(pick.own for pick in wish.picks))
    kinds = frozenset(kind for kind, state_key in pairs if state_key == ANY)
    needs_all = ANY in own or any(kind == ANY for kind, _ in pairs) or any(pick.but_not for pick in wish.picks)
    exact = tuple(sorted(pair for pair in pairs if pair[0] not in kinds))
    return _Plan(exact, tuple(sorted(own - kinds)), kinds, needs_all, any(pick.lazy for pick in wish.picks))
