"""Two neighbours who share their calendars, one of them hostile, for many small attempts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from federation.sharing.model import Subject
from tests.federation.sharing.neighbourhood import neighbours, shares, turns_hostile
from tests.federation.wide_area.places import Place


@pytest.fixture
async def one_share(tmp_path: Path) -> AsyncIterator[tuple[Place, Place, str]]:
    """Sakura, Ume, and the room of what they share."""
    async with neighbours(tmp_path) as (sakura, ume):
        room_id = (await shares(sakura, ume, Subject.CALENDAR)).room_id
        await turns_hostile(ume)
        yield sakura, ume, room_id
