"""The second set of compiled files, without docstrings, with which a node starts smaller.

Python keeps it beside the first one as soon as ``python -OO`` has run once; ``kairan init`` and ``make setup`` see to
that. It must never be made while a node starts, because that takes seconds, so ``is_compiled`` asks first.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager

_LARGEST = ("aiohttp", "sqlalchemy", "server.commands")


@contextmanager
def without_certificates() -> Iterator[None]:
    """While modules are imported, let nobody load the machine's list of certificate authorities.

    aiohttp does so at import, for a client that we do not use: 2 MB and 40 ms of every start. What it has made then
    trusts nobody, so whoever opens a TLS connection brings a context of their own.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def is_compiled() -> bool:
    """Whether the two largest libraries and our own code are there without docstrings and up to date."""
    return all(_has_second_set(module) for module in _LARGEST)


def _has_second_set(module: str) -> bool:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return False
    try:
        compiled = os.stat(importlib.util.cache_from_source(found.origin, optimization="2"))  # noqa: PTH116 - quick start
    except OSError:
        return False
    return compiled.st_mtime >= os.stat(found.origin).st_mtime  # noqa: PTH116
