"""``kairan demo`` as somebody tries it: from an empty folder, with a client, a calendar app and a browser."""

from __future__ import annotations

import asyncio
import base64
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import nio
import pytest

from server.demo.browser import Browser
from server.demo.try_out import try_out
from server.foundation.errors import Refused

_LAST_LINE = "Ctrl-C"


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that runs, by what it has printed."""

    process: Process
    said: str

    @property
    def url(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert found is not None
        return found[0]

    def password(self, name: str) -> str:
        found = re.search(rf"{name} / (\S+)", self.said)
        assert found is not None
        return found[1]

    def card(self) -> str:
        found = re.search(r"http://\S+/i/\S+", self.said)
        assert found is not None
        return found[0]


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "demo", "--port", "0", cwd=folder, stdout=PIPE,
        env={"PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        async with asyncio.timeout(60):
            while not lines or not lines[-1].startswith(_LAST_LINE):
                line = await process.stdout.readline()
                assert line, "the demo ended"
                lines.append(line.decode())
        yield Demo(process, "".join(lines))
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_what_the_demo_prints_lets_everybody_in(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo:
        client = nio.AsyncClient(demo.url, "kaicho")
        assert isinstance(await client.login(demo.password("kaicho")), nio.LoginResponse)
        assert isinstance(await client.sync(full_state=True), nio.SyncResponse)
        names = {room.name for room in client.rooms.values()}
        await client.close()
        assert {"回覧板", "掲示板", "防災", "役員会", "窓口"} <= names
        async with aiohttp.ClientSession() as session, session.get(demo.card()) as answer:
            assert answer.status == 200
            assert "さん" in await answer.text()
        login = base64.b64encode(f"kaicho:{_app_password(demo)}".encode()).decode()
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Basic {login}"}) as session,
            session.request("PROPFIND", f"{demo.url}/dav/") as answer,
        ):
            assert answer.status == 207


async def test_the_second_start_goes_on_with_the_same_data_and_what_the_city_has_sent(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo:
        first = demo.password("jumin")
    async with running_demo(tmp_path) as demo:
        assert demo.password("jumin") == first
        associations = re.findall(r"町町内会　(http://127\.0\.0\.1:\d+)/　会長", demo.said)
        assert len(associations) == 2
        for url in (demo.url, *associations):
            async with Browser(url) as browser:
                await browser.log_in("kaicho", first)
                assert "水道工事にともなう断水" in await browser.page("/circulars")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo-data"
    folder.mkdir()
    with pytest.raises(Refused):
        try_out(0, folder)
    assert list(folder.iterdir()) == []


def _app_password(demo: Demo) -> str:
    found = re.search(r"password: (\S+-\S+)", demo.said)
    assert found is not None
    return found[1]
