"""A node that may speak to gateways on this machine, and such a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.builders import RunningNode, settings_for
from tests.fakes.clock import FakeClock
from tests.matrix.push.gateway import ALLOWED, Gateway


class PatientClock(FakeClock):
    """Time that only the test moves; but moments in which the node lets others go first are over at once."""

    async def sleep(self, seconds: float) -> None:
        await (asyncio.sleep(0) if seconds < 0.1 else super().sleep(seconds))


@pytest.fixture
def clock() -> FakeClock:
    """Time that only the test moves."""
    return PatientClock()


@pytest.fixture
async def node(tmp_path: Path, clock: FakeClock) -> AsyncIterator[RunningNode]:
    """A node whose time stands still."""
    async with RunningNode(settings_for(tmp_path, more=ALLOWED), clock) as running:
        yield running


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that takes everything."""
    async with Gateway() as listening:
        yield listening
