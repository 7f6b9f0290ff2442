"""What each version of the specification has changed within endpoints, and which tests show that the node does it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from tests.contract.specification import CLIENT_SERVER, METHODS, document_at

_TESTS: Final = Path(__file__).parent.parent
# Steps that lie on every way and say nothing.
_SILENT: Final = frozenset({
    "content", "application/json", "schema", "properties", "responses", "requestBody", "paths", "components", "allOf",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """A line of ``promises.toml``: shown by tests, or nothing to do for a reason."""

    version: str
    places: tuple[str, ...]
    shown_by: tuple[str, ...]
    reason: str

    def holds(self, version: str, place: str) -> bool:
        """Whether it speaks of this place."""
        return version == self.version and any(fnmatchcase(place, pattern) for pattern in self.places)

    def without_test(self) -> list[str]:
        """Names that no test has."""
        return [name for name in self.shown_by if not _is_test(name)]


def promises() -> list[Promise]:
    """All lines of ``promises.toml``."""
    rows = tomllib.loads(Path(__file__).with_name("promises.toml").read_text("utf-8"))["promise"]
    return [
        Promise(row["version"], tuple(row["places"]), tuple(row.get("shown_by", ())), row.get("reason", ""))
        for row in rows
    ]


def changed() -> Iterator[tuple[str, str]]:
    """``(version, place)`` of all that a version has added or changed below an operation."""
    for file in sorted(CLIENT_SERVER.rglob("*.yaml")):
        name = str(file.relative_to(CLIENT_SERVER))
        for version, steps in _marks(document_at(file), ()):
            yield version, f"{name} {'/'.join(step for step in steps if step not in _SILENT)}"


def _marks(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            named = item.get("name") if isinstance(item, dict) else None
            yield from _marks(item, (*steps, named or str(number)))
    if not isinstance(value, dict):
        return
    is_operation = bool(steps) and steps[0] == "paths" and steps[-1] in METHODS
    added = value.get("x-addedInMatrixVersion")
    if added is not None and not is_operation:
        yield str(added), steps
    for version in value.get("x-changedInMatrixVersion", {}):
        yield str(version), steps
    for name, item in value.items():
        yield from _marks(item, (*steps, str(name)))


def _is_test(name: str) -> bool:
    files, _, test = name.partition("::")
    return any(
        fnmatchcase(line.removeprefix("async ").removeprefix("def ").partition("(")[0], test)
        for file in _TESTS.glob(files)
        for line in file.read_text("utf-8").splitlines() if line.startswith(("def test_", "async def test_"))
    )
