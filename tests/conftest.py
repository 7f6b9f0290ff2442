"""What all tests share."""

from __future__ import annotations

import pytest

from tests.real import missing_tools


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name loudly what could not be tried on this machine."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in missing_tools(reasons):
        terminalreporter.write_line(f"!!! NOT TRIED: {reason}", red=True, bold=True)
