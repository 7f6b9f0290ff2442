"""What many tests of the client-server API begin with."""

from __future__ import annotations

import pytest

from tests.builders import Person, RunningNode


@pytest.fixture
async def hall(node: RunningNode) -> tuple[Person, Person, str]:
    """Hanako's public room, with Taro in it."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    return hanako, taro, room
