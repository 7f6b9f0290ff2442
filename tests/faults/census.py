"""How much a node holds in memory, container by container: what grows with traffic has a name here."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_OURS = ("server.", "federation.")
_CONTAINERS = (dict, list, set, frozenset, tuple, deque)


def census(*roots: object) -> Counter[str]:
    """How many things are in each container that can be reached, by ``Class.attribute`` of whose it is.

    What lies in a container of a container counts for the outer one.
    """
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", root) for root in roots]
    while waiting:
        place, thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, _CONTAINERS):
            found[place] += len(thing)
            waiting += [(place, item) for item in _items(thing)]
        elif isinstance(thing, object) and type(thing).__module__.startswith(_OURS):
            waiting += [(f"{type(thing).__name__}.{name}", value) for name, value in _attributes(thing)]
        elif callable(thing):
            waiting += [(place, value) for value in _closed_over(thing)]
    return found


def _items(container: Any) -> Iterable[object]:
    return [*container.keys(), *container.values()] if isinstance(container, Mapping) else list(container)


def _attributes(thing: object) -> Iterator[tuple[str, object]]:
    yield from vars(thing).items() if hasattr(thing, "__dict__") else ()
    for kind in type(thing).__mro__:
        names = kind.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if hasattr(thing, name):
                yield name, getattr(thing, name)


def _closed_over(function: Any) -> Iterator[object]:
    """What a bound method or a closure holds on to."""
    owner = getattr(function, "__self__", None)
    if owner is not None:
        yield owner
    for cell in getattr(function, "__closure__", None) or ():
        yield cell.cell_contents
