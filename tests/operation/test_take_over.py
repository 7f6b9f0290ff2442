"""Two processes on one PostgreSQL database: one is active, the other takes over when it dies, and nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy.exc import DBAPIError

from server.storage import engines
from server.storage.database import Database
from server.storage.faults import StorageBusy
from tests.faults.process import Client, NodeProcess
from tests.faults.test_kill import Journal, all_after, write_until_gone
from tests.storage.conftest import Cluster

# What the issue asks for.
TAKE_OVER_S = 10.0
WRITERS = 20


async def test_who_has_lost_the_lock_cannot_write_any_more(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.POSTGRESQL, "lock_timeout", "300")
    url = await cluster.new_database()
    first, second, told = Database(url), Database(url), list[str]()
    first.when_displaced = lambda: told.append("displaced")
    await first.open()
    await first.prove_active()
    with pytest.raises(StorageBusy):
        await second.open()
    await cluster.cut_all_connections()
    await second.close()
    third = Database(url)
    await third.open()
    for _ in range(2):  # with the first attempt it notices that its connection is gone
        with pytest.raises((StorageBusy, DBAPIError)):
            await first.prove_active()
    assert told == ["displaced"]
    await third.prove_active()
    await first.close()
    await third.close()


@pytest.fixture
async def pair(cluster: Cluster, tmp_path: Path) -> AsyncIterator[tuple[NodeProcess, NodeProcess]]:
    """Two processes of one node, each on a machine of its own."""
    url = await cluster.new_database()
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        process = NodeProcess(tmp_path / name)
        process.config.write_text(process.config.read_text() + f'[database]\nurl = "{url}"\n')
        found.append(process)
    first, second = found
    shutil.copyfile(first.folder / "signing.key", second.folder / "signing.key")
    yield first, second
    for process in found:
        await process.kill()


async def test_the_second_takes_over_within_ten_seconds_and_nothing_acknowledged_is_lost(
    pair: tuple[NodeProcess, NodeProcess],
) -> None:
    first, second = pair
    await first.start()
    starting = asyncio.ensure_future(second.start())
    async with aiohttp.ClientSession() as http:
        one = Client(first, http)
        await one.register("hanako")
        room = (await one.ask("POST", "createRoom", {}))["room_id"]
        since = (await one.ask("GET", "sync"))["next_batch"]
        journal = Journal()
        writers = [write_until_gone(one, room, f"w{number}", journal) for number in range(WRITERS)]
        writing = [asyncio.ensure_future(writer) for writer in writers]
        while len(journal.acknowledged) < 3 * WRITERS:
            await asyncio.sleep(0.02)
        assert not starting.done(), "while one is active the other waits"
        await first.kill()
        await asyncio.wait_for(starting, TAKE_OVER_S)
        await asyncio.gather(*writing)
        other = Client(second, http)
        other.token = one.token
        texts = [event["content"]["body"] for event in await all_after(other, room, since)]
        assert journal.acknowledged.keys() <= set(texts), "acknowledged and lost"
        assert len(texts) == len(set(texts)), "doubled"
        assert set(texts) <= {*journal.acknowledged, *journal.unanswered}
        await other.ask("PUT", f"rooms/{room}/send/m.room.message/other", {"body": "もう一台"})
