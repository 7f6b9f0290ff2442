"""A node that is lost under load and comes back from a backup, again and again, beside another server that goes on.

``KAIRAN_RESTORATIONS=20`` (``make faults``) for the long form.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.operation.backup import Made
from tests.builders import Person, RunningNode, Sync, settings_for
from tests.federation.neighbours import neighbours
from tests.federation.town import FEDERATION, FarNode
from tests.operation.houses import backed_up, put_back

RESTORATIONS = int(os.environ.get("KAIRAN_RESTORATIONS", "1"))
WRITERS = 8
LEAST = 3
PATIENCE_S = 60


class Load:
    """Everybody counts aloud in one room; ``acknowledged`` is how far each of them has come."""

    def __init__(self, name: str, writers: Sequence[Person], room: str) -> None:
        self.name = name
        self.acknowledged = [0] * len(writers)
        self._writers, self._room = writers, room
        self._stop = asyncio.Event()
        self._moved = asyncio.Condition()

    async def write(self, number: int) -> None:
        while not self._stop.is_set():
            await self._writers[number].says(self._room, f"{self.name}.{number}.{self.acknowledged[number]}")
            async with self._moved:
                self.acknowledged[number] += 1
                self._moved.notify_all()

    async def everybody_said(self, more: int) -> None:
        """Wait until each of them has said so many more."""
        before = list(self.acknowledged)
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(now >= then + more for now, then in zip(self.acknowledged, before, strict=True))
            )

    def stop(self) -> None:
        self._stop.set()


@asynccontextmanager
async def load(name: str, writers: Sequence[Person], room: str) -> AsyncIterator[Load]:
    """Everybody writes for the time of the block."""
    running = Load(name, writers, room)
    async with asyncio.TaskGroup() as tasks:
        for number in range(len(writers)):
            tasks.create_task(running.write(number))
        yield running
        running.stop()


async def test_whenever_a_node_comes_back_it_is_one_moment_and_its_neighbour_takes_what_it_says(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as place:
        home, first = place.sakura, place.sakura
        writers = [place.hanako, *[await home.node.user(f"writer{number}") for number in range(1, WRITERS)]]
        for writer in writers[1:]:
            await writer.joins(place.room)
        since = (await place.taro.syncs()).token
        for life in range(RESTORATIONS):
            async with load(str(life), writers, place.room) as counting:
                await counting.everybody_said(LEAST)
                before = list(counting.acknowledged)
                made = await backup_of(home, tmp_path / f"disk{life}")
                await counting.everybody_said(LEAST)
            await home.stop()
            await put_back(made.path, tmp_path / f"life{life}")
            for number, said in enumerate(said_in(tmp_path / f"life{life}/kairan.db", str(life))):
                assert said == list(range(len(said))), "a prefix, without a hole"
                assert len(said) >= before[number], "with all that was acknowledged before the backup"
            home = at_the_address_of(first, tmp_path / f"life{life}")
            await home.start()
            writers = [Person(home.node, old.user_id, old.token, old.device_id) for old in writers]
            since = await speak_with_each_other(writers, place.taro, place.room, since, f"もどりました {life}")
        heard = await everything(place.taro, place.room)
        assert [text for text, count in heard.items() if count > 1] == [], "nothing is there twice"
        await home.stop()
        await first.start()  # which the end of the block stops


async def speak_with_each_other(writers: Sequence[Person], taro: Person, room: str, since: str, text: str) -> str:
    """All are heard by the neighbour, who is heard by all; answers where the neighbour stands."""
    wanted = {f"{text} {number}" for number in range(len(writers))}
    for number, writer in enumerate(writers):
        await writer.says(room, f"{text} {number}")
    missing = set(wanted)

    def all_heard(news: Sync) -> str | None:
        missing.difference_update(news.texts(room))
        return None if missing else news.token

    token = await heard(taro, all_heard, since)
    reply = f"{text} おかえり"
    await taro.says(room, reply)
    await heard(writers[0], lambda news: news.token if reply in news.texts(room) else None)
    return token


async def heard(person: Person, of: Callable[[Sync], str | None], since: str | None = None) -> str:
    """Sync until ``of`` finds something, however much else comes before."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            news = await person.syncs(since, timeout=1_000)
            if found := of(news):
                return found
            since = news.token


async def everything(person: Person, room: str) -> Counter[str]:
    """What somebody finds in a room, and how often."""
    found: Counter[str] = Counter()
    query = {"dir": "b", "limit": "500"}
    while True:
        page: dict[str, Any] = (await person.get(f"v3/rooms/{room}/messages", **query)).body
        found.update(event["content"].get("body", "") for event in page["chunk"] if event["type"] == "m.room.message")
        if not page.get("end"):
            return found
        query["from"] = page["end"]


async def backup_of(home: FarNode, folder: Path) -> Made:
    settings = home.node.settings
    (settings.data_dir / "kairan.toml").write_text(f'server_name = "{settings.server_name}"\n')
    return await backed_up(settings, folder)


def at_the_address_of(old: FarNode, folder: Path) -> FarNode:
    """A node in a folder that was restored, where others look for the lost one."""
    found = FarNode.__new__(FarNode)
    found.port, found.name = old.port, old.name
    found.node = RunningNode(settings_for(folder, server_name=old.name, more=FEDERATION))
    found.node.listen_more = found._listen
    return found


def said_in(database: Path, name: str) -> list[list[int]]:
    """The numbers that each writer has said under a name, in order."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT json FROM events WHERE type = 'm.room.message' ORDER BY stream").fetchall()
    connection.close()
    found: list[list[int]] = [[] for _ in range(WRITERS)]
    for (raw,) in rows:
        parts = str(json.loads(raw)["content"].get("body", "")).split(".")
        if len(parts) == 3 and parts[0] == name:
            found[int(parts[1])].append(int(parts[2]))
    return found
