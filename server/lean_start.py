"""How a node starts small and fast: compiled files without docstrings, and packages that open slowly.

Python keeps a second set of compiled files beside the first one as soon as ``python -OO`` has run once;
``kairan init`` and ``make setup`` see to that. It must never be made while a node starts, because that takes seconds,
so ``is_compiled`` asks first.
"""

from __future__ import annotations

import importlib
import importlib.util
import mimetypes
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_LARGEST = ("aiohttp", "sqlalchemy", "server.commands")


def start_small() -> None:
    """Put off what libraries load at once and a node needs later or never. Before anything else is imported."""
    for package in ("aiohttp", "nacl.bindings", "importlib.metadata"):
        open_slowly(package)
    # aiohttp's client asks for proxies, its server writes large forms to files; unescaping HTML is for others' pages;
    # SQLAlchemy can store pickles, and nobody here lets it; headers with a grammar of their own are those of mail.
    stand_in("urllib.request", getproxies=_late("getproxies"), proxy_bypass=_late("proxy_bypass"))
    stand_in("html.entities", html5=LateTable("html.entities", "html5"))
    stand_in("email.headerregistry", HeaderRegistry=LateMaker)
    stand_in("pickle", HIGHEST_PROTOCOL=5)
    for module in ("calendar", "csv", "difflib", "tokenize"):
        stand_in(module)
    # What a file is called is told by Python's own table, the same on every machine, and not by a list of thousands.
    mimetypes.init([])


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
    version = _version_of(spec.origin)
    if version:
        package.__dict__["__version__"] = version  # which its own modules ask for
    _enter(name, package)


def stand_in(name: str, **values: object) -> None:
    """Let a module be there with a few ``values`` only, until somebody asks it for another."""
    if name in sys.modules:
        return
    module = ModuleType(name)
    module.__dict__.update(values)

    def find(wanted: str) -> object:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        return getattr(_real(name), wanted)

    module.__getattr__ = find  # type: ignore[method-assign]
    _enter(name, module)


class LateTable(dict[Any, Any]):
    """A table of a module, which is loaded when somebody looks something up."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__()
        self._place = module, name

    def __getitem__(self, key: object) -> object:
        self._load()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._load()
        return super().__contains__(key)

    def _load(self) -> None:
        if not len(self):
            module, name = self._place
            self.update(getattr(_real(module), name))


class LateMaker:
    """``email.headerregistry.HeaderRegistry``, which every policy for mail makes one of, and few ever ask."""

    def __init__(self, *arguments: object, **options: object) -> None:
        self._made: Any = None
        self._wishes = arguments, options

    def __call__(self, name: str, value: str) -> object:
        return self._real()(name, value)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real(), name)

    def _real(self) -> Any:
        if self._made is None:
            arguments, options = self._wishes
            self._made = _real("email.headerregistry").HeaderRegistry(*arguments, **options)
        return self._made


def _late(name: str) -> Callable[..., object]:
    def call(*arguments: object) -> object:
        return getattr(_real("urllib.request"), name)(*arguments)

    return call


def _real(name: str) -> ModuleType:
    """The module that something has stood in for."""
    if sys.modules[name].__spec__ is None:
        del sys.modules[name]
    return importlib.import_module(name)


def _enter(name: str, module: ModuleType) -> None:
    """As the import system does it."""
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), child, module)


def _version_of(origin: str | None) -> str | None:
    """What a package says of itself in the first lines of its source."""
    if origin is None:
        return None
    with open(origin, encoding="utf-8") as source:  # noqa: PTH123 - quick start
        for _ in range(20):
            name, _, value = source.readline().partition("=")
            if name.strip() == "__version__":
                return value.strip().strip("\"'")
    return None


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
