"""``docs/conformance.md``: which endpoints clients find here, and what the tests know of each.

``make conformance`` runs the tests, counts what they have tried into ``tests/data/matrix/conformance.tsv`` and
writes the page; ``make docs`` writes the page only.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.contract import servers
from tests.contract.specification import DATA, Operation, operations, server_operations

TABLE: Final = DATA / "conformance.tsv"
ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = ROOT / "docs" / "conformance.md"
TIERS: Final = {
    "T1": "Without these no client works", "T2": "What clients use every day",
    "T3": "What some clients or servers use", "T4": "Old or experimental",
}  # fmt: skip

_INTRODUCTION: Final = """# The client-server API: what is here

Written by `make conformance` from a run of all tests; not by hand. Every exchange of every test, whoever the client
is, is held to the specification's OpenAPI files and event schemas (`tests/contract/`), version 1.19. *Successes* and
*refusals* are numbers of tests in which the endpoint has answered so; sweeps over all endpoints are not counted.
A dash: the files do not say since when. What versions have changed within endpoints is in
`tests/contract/promises.toml`. Where we differ on purpose, `tests/contract/deviations.toml` says why.
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many tests have seen an endpoint succeed, and refuse."""

    successes: int = 0
    refusals: int = 0


@cache
def not_offered() -> Mapping[str, str]:
    """Operations that the node does not offer, and what it says instead."""
    found: dict[str, str] = tomllib.loads(Path(__file__).with_name("not_offered.toml").read_text("utf-8"))["operations"]
    return found


def tried() -> dict[str, Tried]:
    """The committed table, by route."""
    rows = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()[1:]]
    return {route: Tried(int(successes), int(refusals)) for route, successes, refusals in rows}


def count(folder: Path) -> dict[str, Tried]:
    """What a run of the tests has written to ``folder`` (``record.py``)."""
    lines = {line for file in folder.glob("tried-*.tsv") for line in file.read_text("utf-8").splitlines()}
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    of_servers = {row.route for row in server_operations()}
    for line in lines:
        route, outcome, _test = line.split("\t")
        if route not in of_servers:
            numbers[route][outcome] += 1
    return {route: Tried(found["success"], found["refusal"]) for route, found in numbers.items()}


def write_table(found: Mapping[str, Tried]) -> None:
    """Commit ``found`` to the table."""
    rows = [f"{route}\t{found[route].successes}\t{found[route].refusals}" for route in sorted(found)]
    TABLE.write_text("\n".join(["route\tsuccesses\trefusals", *rows]) + "\n", "utf-8")


def state(operation: Operation, found: Tried) -> str:
    """In words."""
    if operation.name in not_offered():
        return "not offered"
    if found.successes and found.refusals:
        return "tested"
    if found.successes:
        return "tested, never refuses"
    return "only refusals tested" if found.refusals else "missing"


def page() -> str:
    """The whole page."""
    found = tried()
    parts = [_INTRODUCTION, _summary(found)]
    for tier, title in TIERS.items():
        parts.append(f"## {title} ({tier})\n\n" + _rows([row for row in _routes() if row.tier == tier], found))
    reasons = "".join(f"- `{name}`: {reason}.\n" for name, reason in sorted(not_offered().items()))
    parts.append(f"## Not offered\n\n{reasons}")
    return "\n".join(parts)


def _routes() -> list[Operation]:
    """One operation a route."""
    return list({operation.route: operation for operation in reversed(operations())}.values())[::-1]


def _summary(found: Mapping[str, Tried]) -> str:
    lines = ["| tier | endpoints | tested | not offered | other |", "|---|---|---|---|---|"]
    for tier in TIERS:
        states = Counter(state(row, found.get(row.route, Tried())) for row in _routes() if row.tier == tier)
        tested = states["tested"] + states["tested, never refuses"]
        other = states.total() - tested - states["not offered"]
        lines.append(f"| {tier} | {states.total()} | {tested} | {states['not offered']} | {other} |")
    return "\n".join(lines) + "\n"


def _rows(routes: Iterable[Operation], found: Mapping[str, Tried]) -> str:
    lines = ["| endpoint | since | state | successes | refusals |", "|---|---|---|---|---|"]
    for row in routes:
        numbers = found.get(row.route, Tried())
        since = f"v{row.added}" if row.added else ("–" if row.is_stable else "unstable")
        lines.append(f"| `{row.route}` | {since} | {state(row, numbers)} | {numbers.successes} | {numbers.refusals} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        write_table(count(Path(folder)))
        servers.write_table(servers.count(Path(folder)))
    PAGE.write_text(page(), "utf-8")
    servers.PAGE.write_text(servers.page(), "utf-8")
