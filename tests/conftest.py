"""What all tests share."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web_app

from tests.builders import RunningNode
from tests.compiled_once import sql_is_compiled_once
from tests.real import missing_tools
from tests.started_before import settings_of_one_started_before


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name loudly what could not be tried on this machine."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason in missing_tools(reasons):
        terminalreporter.write_line(f"!!! NOT TRIED: {reason}", red=True, bold=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded stays: looking through it for garbage, over and over, would take half of the collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(10_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """aiohttp remembers a thousand handlers of any application, and with them a hundred nodes that are closed."""
    web_app._cached_build_middleware.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def compiled_sql() -> Iterator[None]:
    """Shared by all tests of a process."""
    with sql_is_compiled_once():
        yield


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A whole node on a database file of its own."""
    async with RunningNode(await settings_of_one_started_before(tmp_path)) as running:
        yield running
