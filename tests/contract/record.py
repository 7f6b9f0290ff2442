"""Which operations the tests have tried, and how it went: the source of ``docs/conformance.md``.

Kept only where the variable ``KAIRAN_CONTRACT_RECORD`` names a folder; every process of the run writes a file there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.contract.deviations import Fault
from tests.contract.exchanges import Exchange
from tests.contract.specification import find

# These ask every operation there is, so that they prove nothing about a single one.
_SWEEPS = ("tests/contract/", "tests/matrix/test_every_endpoint.py")


@dataclass(slots=True)
class Record:
    """Writes lines ``method path outcome test`` to this process's file."""

    _written: set[tuple[str, str, str]] = field(default_factory=set)
    _file: TextIO | None = None

    def note(self, exchange: Exchange) -> None:
        """One exchange; the same of the same test is written once."""
        folder = os.environ.get("KAIRAN_CONTRACT_RECORD")
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        if not folder or not test or test.startswith(_SWEEPS):
            return
        outcome = outcome_of(exchange)
        routes = [row.route for row in find(exchange.method, exchange.path)]
        for route in routes[:1]:
            line = (route, outcome, test)
            if outcome and line not in self._written:
                self._written.add(line)
                self._write(folder, "\t".join(line))

    def report(self, faults: Iterable[Fault]) -> None:
        """Where faults are only collected (``KAIRAN_CONTRACT=report``)."""
        folder = os.environ.get("KAIRAN_CONTRACT_RECORD", "/tmp")
        for fault in faults:
            with Path(folder, f"faults-{os.getpid()}.txt").open("a", encoding="utf-8") as out:
                out.write(f"{fault}\t{os.environ.get('PYTEST_CURRENT_TEST', '')}\n")

    def _write(self, folder: str, line: str) -> None:
        if self._file is None:
            place = Path(folder, f"tried-{os.getpid()}.tsv")
            self._file = place.open("a", encoding="utf-8", buffering=1)
        self._file.write(line + "\n")


def outcome_of(exchange: Exchange) -> str:
    """``success``, ``refusal``, or nothing: an unknown path proves nothing."""
    if exchange.status < 400:
        return "success"
    unknown = b"M_UNRECOGNIZED" in (exchange.answer or b"")
    return "" if unknown or exchange.status >= 500 else "refusal"


RECORD = Record()
