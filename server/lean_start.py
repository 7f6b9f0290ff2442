"""How a node starts small and fast: compiled files without docstrings, and packages that open slowly.

Python keeps a second set of compiled files beside the first one as soon as ``python -OO`` has run once;
``kairan init`` and ``make setup`` see to that. It must never be made while a node starts, because that takes seconds,
so ``is_compiled`` asks first.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys

_LARGEST = ("aiohttp", "sqlalchemy", "server.commands")


def open_slowly(name: str) -> None:
    """Let a package's own ``__init__`` run only when somebody asks it for a name; its modules can be imported before.

    ``import aiohttp.web`` runs ``aiohttp/__init__.py``, which loads the whole client and, with it, the machine's list
    of certificate authorities: 4 MB and 80 ms of every start, for what a node opens later or never.
    """
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    loader = spec.loader

    def find(wanted: str) -> object:
        if wanted.startswith("__") or importlib.util.find_spec(f"{name}.{wanted}") is not None:
            raise AttributeError(wanted)  # a module of the package: the import system takes it from here
        del package.__getattr__
        loader.exec_module(package)
        return getattr(package, wanted)

    package.__getattr__ = find  # type: ignore[method-assign]
    package.__dict__["__version__"] = importlib.metadata.version(name)  # which its own modules ask for
    sys.modules[name] = package


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
