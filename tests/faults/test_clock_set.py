"""R7: somebody sets the clock of the machine while a node runs: ten years ahead, a year back, an hour back.

The node is a real process, and libfaketime is the clock on the wall that it sees; what never runs backwards
is as it is.
``test_clock_jumps.py`` tries many more jumps inside one process.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.empty_database import lay_down
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import cpu_s, size, tell
from tests.faults.street import FarTown
from tests.real import require_real

AHEAD, BACK, AN_HOUR_BACK = "+3650d", "-365d", "-1h"
JUMPS: Final = (AHEAD, BACK, AN_HOUR_BACK) * size(1, 10)
BURST = 10
_PATIENCE_S = 60.0
_IDLE_S = 1.0
_WAIT_MS = 700


class Wall:
    """The clock on the wall of a process."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._file = folder / "wall"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }

    def set(self, offset: str) -> None:
        """From now on it is wrong by so much."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{offset}\n")
        part.replace(self._file)


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    """A node that holds back who says too much, and talks to other servers."""
    node = NodeProcess(tmp_path, federation="verify_certificates = false\nallow_private_addresses = true")
    held_back = f"enabled = true\nmessages_per_second = 2\nmessage_burst = {BURST}\n"
    node.config.write_text(node.config.read_text().replace("[limits]\nenabled = false\n", f"[limits]\n{held_back}"))
    # To make it anew would ask for the time ten thousand times, each of which libfaketime reads in a file.
    await lay_down(f"sqlite+aiosqlite:///{tmp_path / 'kairan.db'}")
    yield node
    await node.kill()


@pytest.mark.slow
async def test_a_clock_that_is_set_while_the_node_runs_disturbs_nobody(
    tmp_path: Path, process: NodeProcess, client: Client
) -> None:
    wall = Wall(require_real("libfaketime"), tmp_path)
    process.environment = wall.environment
    far = FarTown(process)
    await far.start()
    await process.start()
    try:
        street = await Street.settled(process, client, far)
        for turn, offset in enumerate(JUMPS):
            await street.lives_through(wall, offset, turn)
        await process.stop()
        process.environment = {}  # the right time
        await process.start()
        await street.is_as_it_was()
    finally:
        await far.stop()
    tell("R7", f"{len(JUMPS)} jumps of the machine's clock: {street.figures()}")


class Street:
    """Hanako talks, Taro listens, and another server is in one room with them."""

    def __init__(self, process: NodeProcess, hanako: Client, taro: Client, far: FarTown) -> None:
        self._process = process
        self._hanako = hanako
        self._taro = taro
        self._far = far
        self._room = self._far_room = self._since = self._renewal = ""
        self.said: list[str] = []
        self.longest_wait_s = self.most_cpu_s = self.longest_pause_s = 0.0

    @classmethod
    async def settled(cls, process: NodeProcess, hanako: Client, far: FarTown) -> Street:
        """Both have accounts and sit in one room; Taro's token is one that ends and can be renewed."""
        made = cls(process, hanako, hanako.another(), far)
        await hanako.register("hanako")
        await made._taro.register("taro")
        who = {"type": "m.id.user", "user": "taro"}
        renewable = await made._taro.ask("POST", "login", {
            "type": "m.login.password", "identifier": who, "password": "cherry-blossom-4", "refresh_token": True,
        })
        made._taro.token, made._renewal = renewable["access_token"], renewable["refresh_token"]
        made._room = (await hanako.ask("POST", "createRoom", {"preset": "public_chat"}))["room_id"]
        await made._taro.ask("POST", f"join/{made._room}", {})
        made._far_room = far.creates_room()
        await hanako.ask("POST", f"join/{made._far_room}", {}, server_name=far.name)
        made._since = (await made._taro.ask("GET", "sync"))["next_batch"]
        return made

    async def lives_through(self, wall: Wall, offset: str, turn: int) -> None:
        """The clock is set while Taro waits and the other server is away."""
        await self._far.stop()
        waiting = asyncio.ensure_future(self._hears(1))
        await self._says(f"{turn}-far", self._far_room)
        await self._pauses()
        wall.set(offset)
        await self._says(f"{turn}-0", self._room)
        assert await waiting == [f"{turn}-0"]
        # One that was given out ten years ahead is good until then.
        await self._renew(has_ended=turn == 0)
        for number in range(1, 4):
            await self._says(f"{turn}-{number}", self._room)
        assert await self._hears(3) == [f"{turn}-{number}" for number in range(1, 4)]
        await self._waits_as_long_as_asked()
        await self._is_held_back_and_let_go()
        self._since = (await self._taro.ask("GET", "sync", since=self._since))["next_batch"]
        await self._is_idle()
        await self._other_server_hears(f"{turn}-far")

    async def is_as_it_was(self) -> None:
        """With the right time, after a restart: everything is there in its order, nothing comes again, talk goes on."""
        page = await self._hanako.ask("GET", f"rooms/{self._room}/messages", dir="b", limit="1000")
        texts = [event["content"]["body"] for event in page["chunk"] if event["type"] == "m.room.message"]
        assert texts[::-1] == self.said, "what is dated ten years ahead hides nothing"
        # The position was given out by a clock that was wrong by an hour.
        assert "join" not in (await self._taro.ask("GET", "sync", since=self._since)).get("rooms", {})
        await self._says("あと", self._room)
        assert await self._hears(1) == ["あと"]

    def figures(self) -> str:
        """For docs/faults.md."""
        return (
            f"{len(self.said)} messages in order; a poll of {_WAIT_MS} ms took at most {self.longest_wait_s:.2f} s, "
            f"an idle second at most {self.most_cpu_s:.2f} s of CPU; another server heard what had waited after at "
            f"most {self.longest_pause_s:.1f} s"
        )

    async def _says(self, text: str, room: str) -> None:
        path = f"rooms/{room}/send/m.room.message/{text}"
        async with asyncio.timeout(_PATIENCE_S):
            while (told := await self._tries("PUT", path, self._hanako.token, {"body": text}))[0] == 429:
                await asyncio.sleep(told[1]["retry_after_ms"] / 1000)
        assert told[0] == 200, told
        if room == self._room:
            self.said.append(text)

    async def _hears(self, most: int) -> list[str]:
        """The next that Taro hears in the room, by long polls; an answer may be about other things."""
        heard = list[str]()
        async with asyncio.timeout(_PATIENCE_S):
            while len(heard) < most:
                news = await self._taro.ask("GET", "sync", since=self._since, timeout="30000")
                self._since = news["next_batch"]
                section = news.get("rooms", {}).get("join", {}).get(self._room, {})
                heard += [event["content"]["body"] for event in section.get("timeline", {}).get("events", [])]
        return heard

    async def _renew(self, *, has_ended: bool) -> None:
        """A token that has come to its end says so, and can be exchanged."""
        status, answer = await self._tries("GET", "account/whoami", self._taro.token)
        if has_ended:
            assert (status, answer["errcode"], answer["soft_logout"]) == (401, "M_UNKNOWN_TOKEN", True)
            fresh = await self._taro.another().ask("POST", "refresh", {"refresh_token": self._renewal})
            self._taro.token, self._renewal = fresh["access_token"], fresh["refresh_token"]
        else:
            assert status == 200

    async def _waits_as_long_as_asked(self) -> None:
        """Until a long poll has waited for all of its time: one may end before with other news."""
        loop, took = asyncio.get_running_loop(), 0.0
        async with asyncio.timeout(_PATIENCE_S):
            while took < _WAIT_MS / 1000:
                began = loop.time()
                news = await self._taro.ask("GET", "sync", since=self._since, timeout=str(_WAIT_MS))
                took, self._since = loop.time() - began, news["next_batch"]
        self.longest_wait_s = max(self.longest_wait_s, took)

    async def _is_held_back_and_let_go(self) -> None:
        """Who says too much is refused for a moment, and not for years."""
        for _ in range(10 * BURST):
            text = f"much-{len(self.said)}"
            path = f"rooms/{self._room}/send/m.room.message/{text}"
            status, answer = await self._tries("PUT", path, self._hanako.token, {"body": text})
            if status == 429:
                break
            self.said.append(text)
        assert (status, answer["errcode"]) == (429, "M_LIMIT_EXCEEDED")
        assert answer["retry_after_ms"] <= 1000
        await self._says(text, self._room)

    async def _is_idle(self) -> None:
        """A timer that fired again and again would cost all of a processor."""
        before = cpu_s(self._process.process_id)
        await asyncio.sleep(_IDLE_S)
        self.most_cpu_s = max(self.most_cpu_s, cpu_s(self._process.process_id) - before)
        assert self.most_cpu_s < _IDLE_S / 2

    async def _pauses(self) -> None:
        """The node has found that the other server is away, and has written down until when it does not try again."""
        async with asyncio.timeout(_PATIENCE_S):
            with closing(sqlite3.connect(self._process.folder / "kairan.db", timeout=30)) as database:
                while not database.execute("SELECT 1 FROM destinations").fetchall():
                    await asyncio.sleep(0.02)

    async def _other_server_hears(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        await self._far.start()
        began = loop.time()
        async with asyncio.timeout(_PATIENCE_S):
            while text not in self._far.heard:
                await asyncio.sleep(0.05)
        self.longest_pause_s = max(self.longest_pause_s, loop.time() - began)

    async def _tries(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and content of an answer that may be a refusal."""
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(self._process.url, headers=headers) as http,
            http.request(method, f"/_matrix/client/v3/{path}", json=body) as answer,
        ):
            return answer.status, await answer.json()
