"""server/foundation/tasks.py"""

from __future__ import annotations

import asyncio
import logging

import pytest

from server.foundation.tasks import Tasks, keep_doing
from tests.fakes.clock import FakeClock


async def test_stop_cancels_and_waits_for_what_still_runs() -> None:
    tasks = Tasks()
    ended = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    tasks.start("waiting", wait_for_ever())
    await asyncio.sleep(0)
    await tasks.stop()
    assert ended == ["cleaned up"]


async def test_a_task_that_fails_is_logged_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise ValueError("out of paper")

    tasks.start("printing", fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "the task printing failed" in caplog.text
    assert "out of paper" in caplog.text
    await tasks.stop()


async def test_nothing_starts_after_the_end() -> None:
    tasks = Tasks()
    await tasks.stop()
    with pytest.raises(RuntimeError, match="late was started after the end"):
        tasks.start("late", asyncio.sleep(0))


async def test_a_step_is_done_at_once_and_then_again_after_each_pause() -> None:
    clock, tasks, done = FakeClock(), Tasks(), []

    async def step() -> None:
        done.append(clock.monotonic())

    tasks.start("rounds", keep_doing("rounds", step, clock, every_s=60))
    await clock.advance(130)
    await tasks.stop()
    assert done == [0, 60, 120]


async def test_a_round_that_fails_is_logged_and_the_next_one_follows(caplog: pytest.LogCaptureFixture) -> None:
    clock, tasks, tries = FakeClock(), Tasks(), []

    async def step() -> None:
        tries.append(clock.monotonic())
        if len(tries) == 1:
            raise OSError("no route to the city")

    with caplog.at_level(logging.ERROR):
        tasks.start("deliveries", keep_doing("deliveries", step, clock, every_s=5))
        await clock.advance(6)
        await tasks.stop()
    assert tries == [0, 5]
    assert "no route to the city" in caplog.text
