"""The second set of compiled files, without docstrings, with which a node starts smaller.

Python keeps it beside the first one as soon as ``python -OO`` has run once; ``kairan init`` and ``make setup`` see to
that. It must never be made while a node starts, because that takes seconds, so ``is_compiled`` asks first.
"""

from __future__ import annotations

import importlib.util
import os

_LIBRARIES = ("aiohttp", "sqlalchemy")


def is_compiled() -> bool:
    """Whether the two largest libraries are there without docstrings."""
    return all(_has_second_set(library) for library in _LIBRARIES)


def _has_second_set(library: str) -> bool:
    found = importlib.util.find_spec(library)
    if found is None or found.origin is None:
        return False
    return os.path.exists(importlib.util.cache_from_source(found.origin, optimization="2"))  # noqa: PTH110 - quick start
