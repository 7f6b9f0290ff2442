"""Validators made of the specification's schemas, each compiled when it is first needed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from tests.contract.specification import (
    CLIENT_SERVER,
    EVENT_SCHEMAS,
    Json,
    Operation,
    document_at,
    properties_of,
    without_references,
)

# What the schemas' own patterns leave open (appendices, "Common Identifier Format"; Matrix Content URIs).
_FORMATS: Final = {
    "mx-user-id": r"@[^:\0]*:.+",
    "mx-room-alias": r"#[^\0]+:.+",
    "mx-event-id": r"\$.+",
    "mx-room-id": r"!.+",
    "mx-mxc-uri": r"mxc://[^/]+/[A-Za-z0-9_-]+",
    "mx-server-name": r"[0-9A-Za-z.\-\[\]:]+",
}
_KNOWN_FORMATS: Final = {
    name: (lambda text, pattern=re.compile(rule, re.DOTALL): pattern.fullmatch(text) is not None)
    for name, rule in _FORMATS.items()
}


class Schema:
    """The validator of a schema without references."""

    def __init__(self, schema: Json) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, formats=_KNOWN_FORMATS)

    def faults(self, value: Any) -> list[tuple[str, str]]:
        """``(place, what is wrong)``; the place is a path like ``rooms/join/*``: a star for ids and numbers."""
        if self._validator.is_valid(value):
            return []
        errors = self._validator.iter_errors(value)
        return [("/".join(map(_name, error.instance_path)), error.message) for error in errors]


def _name(part: str | int) -> str:
    return "*" if isinstance(part, int) or part[:1] in "!@#$" else part


def request_description(operation: Operation) -> Json | None:
    """The schema, without references, of what the operation wants to be sent; ``None`` where it is no JSON."""
    return _json_schema(operation.description.get("requestBody", {}), operation)


@cache
def request_schema(operation: Operation) -> Schema | None:
    """The same, to be used."""
    found = request_description(operation)
    return None if found is None else Schema(found)


@cache
def statuses(operation: Operation) -> frozenset[int]:
    """The answers that the operation's own list names."""
    return frozenset(map(int, operation.description["responses"]))


@cache
def answer_schema(operation: Operation, status: int) -> Schema | None:
    """What the operation answers with ``status``; ``None`` where that is no JSON or left open."""
    found = _json_schema(operation.description["responses"].get(str(status), {}), operation)
    return None if found is None else Schema(found)


@cache
def error_schema() -> Schema:
    """Any error that an operation does not describe."""
    return Schema(document_at(CLIENT_SERVER / "definitions" / "errors" / "error.yaml"))


def _json_schema(part: Json, operation: Operation) -> Json | None:
    whole = without_references(part, operation.source)
    found: Json | None = whole.get("content", {}).get("application/json", {}).get("schema")
    return found


@cache
def content_schemas(event_type: str) -> tuple[Schema, ...]:
    """The schemas of the content of an event type: none where it is not the specification's, several where it may be
    one of several (``m.room.encrypted$olm``)."""
    files = [*EVENT_SCHEMAS.glob(f"{event_type}.yaml"), *EVENT_SCHEMAS.glob(f"{event_type}$*.yaml")]
    return tuple(Schema(_content_of(file)) for file in sorted(files) if file.stem != "m.room.message")


def _content_of(file: Path) -> Json:
    found: Json = properties_of(without_references(document_at(file), file)).get("content", {})
    return found
