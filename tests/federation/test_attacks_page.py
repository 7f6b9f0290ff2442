"""The page of attacks names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "attacks.md"
# From this row on, tests are named as they lie below tests/web.
_OF_PAGES = 34


def test_every_test_that_the_page_names_is_there() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    numbers = [int(row.split("|")[1]) for row in rows]
    assert numbers == [*range(1, 25), *range(34, 42), 44, 45]
    for number, row in zip(numbers, rows, strict=True):
        below = TESTS / ("federation" if number < _OF_PAGES else "web")
        functions: list[str] = []
        for named in re.findall(r"`([^`]+)`", row.split("|")[3]):
            path, _, function = named.partition("::")
            if path.endswith(".py"):
                file = next(found for found in (below / path, TESTS / path) if found.exists())
                functions = re.findall(r"def (test_\w+)", file.read_text())
            piece = function or path
            if "…" in piece:
                assert any(piece.strip("…") in name for name in functions), named
            elif function:
                assert function in functions, named
