"""A server is away for a week: all that was said meanwhile comes, in order, once, whatever happens to the sender.

``KAIRAN_ABSENCE=10000`` says so many things in 50 rooms.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from server.outbox.outbox_store import outbox, waiting_destinations
from tests.builders import Person
from tests.fakes.clock import FakeClock
from tests.federation.town import FarNode

Json = dict[str, Any]

EVENTS: Final = int(os.environ.get("KAIRAN_ABSENCE", "280"))
ROOMS: Final = 50 if EVENTS >= 10_000 else 4
DAYS: Final = 7
_DAY_MS: Final = 86_400_000


async def _is_done(sakura: FarNode, clock: FakeClock, seconds: float = 600) -> None:
    """Wait until nothing waits for anybody."""
    async with asyncio.timeout(seconds):
        while await waiting_destinations(sakura.node.inside.core.database):
            await clock.advance(1)
            await asyncio.sleep(0.02)


async def _has_begun(sakura: FarNode) -> None:
    """Wait until some of it has gone; the clock stands still."""
    async with asyncio.timeout(60):
        while await _count(sakura) > EVENTS - 60:
            await asyncio.sleep(0.01)
    assert await _count(sakura) > 0


async def _count(sakura: FarNode) -> int:
    rows = await sakura.node.inside.core.database.fetch_all(select(func.count()).select_from(outbox))
    return int(rows[0][0])


async def _all_texts(person: Person, room: str) -> list[str]:
    """What was said in a room, the oldest first."""
    found: list[str] = []
    start: Json = {}
    while True:
        page = await person.get(f"v3/rooms/{room}/messages", dir="b", limit="500", **start)
        found += [event["content"]["body"] for event in page["chunk"] if event["type"] == "m.room.message"]
        if "end" not in page.body:
            return found[::-1]
        start = {"from": page["end"]}


async def _says(person: Person, rooms: list[str], first: int, count: int) -> None:
    """One numbered message after another in each room, rooms beside each other."""

    async def in_one(place: int) -> None:
        for number in range(first, first + count):
            if number % len(rooms) == place:
                await person.says(rooms[place], f"第{number}号")

    await asyncio.gather(*(in_one(place) for place in range(len(rooms))))


@pytest.mark.slow
async def test_who_was_away_for_a_week_hears_everything_once_and_in_order(tmp_path: Path) -> None:
    clock = FakeClock()
    sakura, ume = FarNode(tmp_path / "sakura", clock=clock), FarNode(tmp_path / "ume", clock=clock)
    await sakura.start()
    await ume.start()
    try:
        hanako, taro = await sakura.node.user("hanako"), await ume.node.user("taro")
        rooms = [await hanako.creates_room(preset="public_chat", name=f"部屋{number}") for number in range(ROOMS)]
        for room in rooms:
            assert (await taro.post(f"v3/join/{room}", via=sakura.name)).status == 200
        await _is_done(sakura, clock)
        await ume.stop()
        for day in range(DAYS):
            first, last = EVENTS * day // DAYS, EVENTS * (day + 1) // DAYS
            await _says(hanako, rooms, first, last - first)
            clock._start_ms += _DAY_MS
            await clock.advance(60)
            if day == DAYS // 2:
                await sakura.stop()
                await sakura.start()
        assert await waiting_destinations(sakura.node.inside.core.database) == [ume.name]
        await ume.start()
        await clock.advance(5)
        # The sender stops in the midst of it, and goes on where it was.
        await _has_begun(sakura)
        await sakura.stop()
        await sakura.start()
        await clock.advance(60)
        await _is_done(sakura, clock)
        for place, room in enumerate(rooms):
            wanted = [f"第{number}号" for number in range(EVENTS) if number % ROOMS == place]
            assert await _all_texts(taro, room) == wanted
        await hanako.says(rooms[0], "おかえり")
        await _is_done(sakura, clock)
        assert (await _all_texts(taro, rooms[0]))[-1] == "おかえり"
    finally:
        await ume.stop()
        await sakura.stop()
