"""What all tests share."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import RunningNode, settings_for
from tests.real import missing_tools


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name loudly what could not be tried on this machine."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in missing_tools(reasons):
        terminalreporter.write_line(f"!!! NOT TRIED: {reason}", red=True, bold=True)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage, over and over, would take a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A whole node on a database file of its own."""
    async with RunningNode(settings_for(tmp_path)) as running:
        yield running
