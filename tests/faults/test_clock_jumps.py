"""R7: the clock on the wall jumps: ten years ahead, an hour and a year back. Order, tokens and timers do not care."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.foundation.clock import SystemClock
from tests.builders import RunningNode
from tests.faults.sizes import size, tell
from tests.operation.houses import house

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS
JUMPS = (10 * YEAR_MS, -HOUR_MS, -11 * YEAR_MS, HOUR_MS, YEAR_MS)


class JumpingClock(SystemClock):
    """The machine's clock, set to another time while it runs; what never runs backwards is as it is."""

    def __init__(self) -> None:
        self.off_ms = 0
        self.asked = 0

    def now_ms(self) -> int:
        self.asked += 1
        return super().now_ms() + self.off_ms


async def test_who_listens_hears_everything_in_its_order_whatever_the_clock_says(tmp_path: Path) -> None:
    clock = JumpingClock()
    async with RunningNode(house(tmp_path / "node"), clock) as node:
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(preset="public_chat")
        await taro.joins(room)
        token, said, heard = (await taro.syncs()).token, [], []
        for turn, jump in enumerate(JUMPS * size(1, 20)):
            clock.off_ms += jump
            for number in range(3):
                said.append(f"{turn}-{number}")
                await hanako.says(room, said[-1])
            news = await taro.syncs(token)
            token = news.token
            heard += news.texts(room)
        assert heard == said
        past = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="1000")
        texts = [event["content"]["body"] for event in past["chunk"] if event["type"] == "m.room.message"]
        assert texts[::-1] == said, "what is dated ten years ahead hides nothing"
        await node.restart()
        assert (await taro.syncs(token)).texts(room) == []
        await hanako.says(room, "あと")
        assert (await taro.syncs(token)).texts(room) == ["あと"]
        tell("R7", f"{len(JUMPS) * size(1, 20)} jumps between +10 and -11 years: {len(said)} messages heard in order")


async def test_a_jump_starts_no_storm_of_timers(tmp_path: Path) -> None:
    clock = JumpingClock()
    async with RunningNode(house(tmp_path / "node"), clock) as node:
        await node.user("hanako")
        clock.off_ms = 10 * YEAR_MS
        await asyncio.sleep(0.1)
        before = clock.asked
        await asyncio.sleep(0.5)
        # A loop that looked again at once would have asked some thousand times.
        assert clock.asked - before < 200
