"""The specification's OpenAPI files, as the tests need them: operations by path, schemas without references.

Everything is read when it is first asked for; most tests need a few files of a hundred.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

DATA: Final = Path(__file__).parent.parent / "data" / "matrix"
SPECIFICATION: Final = DATA / "spec"
CLIENT_SERVER: Final = SPECIFICATION / "api" / "client-server"
SERVER_SERVER: Final = SPECIFICATION / "api" / "server-server"
EVENT_SCHEMAS: Final = SPECIFICATION / "event-schemas" / "schema"
METHODS: Final = frozenset({"get", "put", "post", "delete"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of ``client_endpoints.tsv`` or ``server_endpoints.tsv``; unstable ones have neither name nor file."""

    tier: str
    method: str
    path: str
    name: str
    file: str
    added: str
    note: str
    folder: Path = CLIENT_SERVER

    @property
    def route(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def is_stable(self) -> bool:
        """Whether the specification describes it."""
        return bool(self.name)

    @property
    def source(self) -> Path:
        """The OpenAPI file."""
        return self.folder / self.file

    @property
    def label(self) -> str:
        """The name; of another server's, with a word before it, for both tables have a ``getEvent``."""
        return self.name if self.folder == CLIENT_SERVER else f"server {self.name}"

    @property
    def description(self) -> Json:
        """The operation's object in the OpenAPI file, references and all."""
        return _descriptions(self.source)[self.name]


@cache
def operations() -> tuple[Operation, ...]:
    """All of ``client_endpoints.tsv``, in its order."""
    lines = (DATA / "client_endpoints.tsv").read_text("utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple(
        Operation(tier, method, path, name, file, added, note) for tier, method, path, name, file, added, note in rows
    )


@cache
def server_operations() -> tuple[Operation, ...]:
    """All of ``server_endpoints.tsv``, in its order."""
    lines = (DATA / "server_endpoints.tsv").read_text("utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple(
        Operation(tier, method, path, name, file, "", note, SERVER_SERVER)
        for tier, method, path, name, file, note in rows
    )


def _descriptions(file: Path) -> dict[str, Json]:
    return {found["operationId"]: found for _method, _path, found in described(file)}


def described(file: Path) -> Iterator[tuple[str, str, Json]]:
    """``(method, full path, operation object)`` of an OpenAPI file."""
    document = document_at(file)
    base = document["servers"][0]["variables"].get("basePath", {}).get("default", "").rstrip("/")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                # Two operations of one route are told apart there by a space at the end.
                yield method.upper(), f"{base}{path}".strip(), operation


@lru_cache(maxsize=16)
def document_at(file: Path) -> Json:
    """A YAML (or JSON) file. Few are kept: many large objects make each collection of garbage slower."""
    loaded: Json = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    return loaded


def without_references(value: Any, file: Path) -> Any:
    """``value``, which stands in ``file``, with every ``$ref`` replaced by what it names."""
    if isinstance(value, list):
        return [without_references(item, file) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if not isinstance(reference, str):
        return {name: without_references(item, file) for name, item in value.items()}
    named = _referred(reference, file)
    beside = {name: without_references(item, file) for name, item in value.items() if name != "$ref"}
    return {"allOf": [named], **beside} if beside and isinstance(named, dict) else named


def _referred(reference: str, file: Path) -> Any:
    place, _, pointer = reference.partition("#")
    target = (file.parent / place).resolve() if place else file
    found: Any = document_at(target)
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return without_references(found, target)


class _Place:
    __slots__ = ("any", "found", "named")

    def __init__(self) -> None:
        self.named: dict[str, _Place] = {}
        self.any: _Place | None = None
        self.found: dict[str, list[Operation]] = {}


@cache
def _tree() -> _Place:
    root = _Place()
    for operation in (*operations(), *server_operations()):
        place = root
        for segment in _segments(operation.path):
            if segment.startswith("{"):
                place.any = place = place.any or _Place()
            else:
                place = place.named.setdefault(segment, _Place())
        place.found.setdefault(operation.method, []).append(operation)
    return root


def find(method: str, raw_path: str) -> list[Operation]:
    """The operations of an encoded path: usually one, none where it is no path of ours, two where one route has two."""
    return next((found for path in _names_of(raw_path) if (found := _found(method, path))), [])


def _names_of(raw_path: str) -> Iterator[str]:
    """The path, and what it is an old name of."""
    yield raw_path
    yield re.sub("^/_matrix/(client/r0|media/r0|media/v1)/", lambda old: f"/_matrix/{old[1][:-3]}/v3/", raw_path)


def _found(method: str, path: str) -> list[Operation]:
    place, segments = _tree(), _segments(path)
    if segments[1:2] == ["client"] and segments[-2:-1] == ["state"]:
        segments.append("")  # the empty state key, with which a path may end without a slash
    for segment in segments:
        following = place.named.get(segment) or place.any
        if following is None:
            return []
        place = following
    return place.found.get(method, [])


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def properties_of(schema: Mapping[str, Any]) -> Json:
    """The properties of a schema without references, also those of its ``allOf``."""
    found: Json = {}
    for part in schema.get("allOf", ()):
        found.update(properties_of(part))
    found.update(schema.get("properties", {}))
    return found
