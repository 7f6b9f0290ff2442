"""One at a time for each key."""

from __future__ import annotations

import asyncio

import pytest

from server.foundation.keyed_locks import KeyedLocks


async def test_one_at_a_time_for_a_key_and_all_keys_beside_each_other() -> None:
    locks = KeyedLocks()
    inside: list[str] = []
    most: dict[str, int] = {}

    async def work(key: str) -> None:
        async with locks.hold(key):
            inside.append(key)
            most[key] = max(most.get(key, 0), inside.count(key))
            most["all"] = max(most.get("all", 0), len(inside))
            await asyncio.sleep(0)
            inside.remove(key)

    await asyncio.gather(*(work(key) for key in "aabbab"))
    assert most == {"a": 1, "b": 1, "all": 2}
    assert locks._locks == {}


async def test_a_failure_lets_the_next_one_in() -> None:
    locks = KeyedLocks()
    with pytest.raises(ValueError):
        async with locks.hold("a"):
            raise ValueError
    async with locks.hold("a"):
        pass
    assert locks._locks == {}


async def test_who_stops_waiting_leaves_nothing_behind() -> None:
    locks = KeyedLocks()
    async with locks.hold("a"):
        waiting = asyncio.ensure_future(asyncio.wait_for(locks.hold("a").__aenter__(), 0))
        with pytest.raises(TimeoutError):
            await waiting
    assert locks._locks == {}
