"""The specification's own examples of request bodies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.schemas import request_description
from tests.contract.specification import CLIENT_SERVER, Json, Operation, without_references


def request_examples(operation: Operation) -> list[Any]:
    """Each example of the JSON body: those beside the schema, and the one that the examples of its properties make."""
    schema = request_description(operation)
    if schema is None:
        return []
    part = without_references(operation.description["requestBody"], CLIENT_SERVER / operation.file)
    media = part["content"]["application/json"]
    found = [*_beside(media), *_beside(media["schema"]), *_assembled(schema)]
    return [example for number, example in enumerate(found) if example not in found[:number]]


def _beside(part: Json) -> Iterator[Any]:
    if "example" in part:
        yield part["example"]
    examples = part.get("examples", {})
    if isinstance(examples, dict):
        yield from (example["value"] for example in examples.values())


def _assembled(schema: Json) -> Iterator[Any]:
    """An object of the examples of its properties, where all that must be there have one."""
    parts = [schema, *schema.get("allOf", ())]
    made = {
        name: described["example"]
        for part in parts for name, described in part.get("properties", {}).items() if "example" in described
    }  # fmt: skip
    required = {name for part in parts for name in part.get("required", ())}
    if made and required <= made.keys():
        yield made
