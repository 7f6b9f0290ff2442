"""What a node tells of itself: health, figures, heartbeat, logs; and what the doctor finds."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from server.application_services.courier import Health
from server.assembly.upkeep import note_upkeep
from server.assembly.watching import start_watching
from server.foundation.logs import JsonLines
from server.foundation.service_manager import ServiceManager
from server.operation.metrics import Figures, Meter
from server.operation.prometheus import Histogram, family, histogram
from server.outbox.outbox import Outbox
from server.storage.database import Writes
from tests.builders import RunningNode
from tests.fakes.clock import FakeClock
from tests.federation.town import free_port
from tests.operation.houses import house

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/kairan.json"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with RunningNode(house(tmp_path / "node", f'[watching]\nlisten = "127.0.0.1:{free_port()}"\n')) as running:
        figures = await start_watching(running.inside, ServiceManager({}))
        assert figures is not None
        yield running
        await figures.cleanup()


async def figures_of(node: RunningNode) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"http://{node.settings.watching.listen}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return await answer.text()


async def test_health_says_only_whether_the_node_works(node: RunningNode) -> None:
    answer = await node.ask("GET", "/health")
    assert (answer.status, answer.body) == (200, {"status": "ok"})


async def test_figures_are_not_on_the_door_for_residents(node: RunningNode) -> None:
    async with node.client.get("/metrics") as answer:
        assert "kairan_requests_total" not in await answer.text()


async def test_figures_tell_of_requests_commits_queues_and_nightly_work(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    event_id = await hanako.says(room, "おはよう")
    await node.ask("GET", "v3/nothing")
    core, writes = node.inside.core, Writes()
    Outbox(core.services.sync.ground.positions).add_event(writes, ["ume.example"], event_id, 1)
    await core.database.submit(writes)
    await note_upkeep(node.inside, {"work": "backup", "trouble": "no disk"})
    page = await figures_of(node)
    assert 'kairan_requests_total{area="client",status="2xx"} 2' in page
    assert 'kairan_requests_total{area="client",status="4xx"} 1' in page
    assert 'kairan_queue_length{destination="ume.example"} 1' in page
    assert 'kairan_queue_age_seconds{destination="ume.example"}' in page
    assert 'kairan_upkeep_failing{work="backup"} 1' in page
    assert "kairan_sync_waiting 0" in page
    assert int(_value(page, "kairan_commit_seconds_count")) > 2
    assert hanako.user_id not in page


async def test_figures_tell_when_a_bridge_last_took_something(node: RunningNode) -> None:
    inside, clock = node.inside, FakeClock(5_000_000)
    bridges = {"line": Health(), "mail": Health()}
    bridges["line"].note(went_well=True, now_ms=4_000_000)
    bridges["line"].note(went_well=False, now_ms=4_400_000)
    figures = Figures(Meter(clock), node.settings, inside.core.database, inside.services, clock, bridges)
    page = await figures.page()
    assert 'kairan_bridge_done_seconds{bridge="line"} 4000' in page
    assert 'kairan_bridge_failing_seconds{bridge="line"} 600' in page
    assert 'kairan_bridge_failing_seconds{bridge="mail"} 0' in page
    assert "kairan_push_apps 0" in page
    bridges["line"].note(went_well=True, now_ms=4_900_000)
    assert 'kairan_bridge_failing_seconds{bridge="line"} 0' in await figures.page()


async def test_the_dashboard_shows_all_figures_and_only_those(node: RunningNode) -> None:
    await note_upkeep(node.inside, {"work": "backup", "trouble": ""})
    page = await figures_of(node)
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    asked = {word for panel in panels for target in panel.get("targets", ()) for word in _names(target["expr"])}
    told = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE ")}
    assert {name.removesuffix("_bucket") for name in asked} == told


def _names(expression: str) -> set[str]:
    words = "".join(char if char.isalnum() or char == "_" else " " for char in expression).split()
    return {word for word in words if word.startswith(("kairan_", "process_"))}


def _value(page: str, name: str) -> str:
    return next(line.split()[1] for line in page.splitlines() if line.startswith(name + " "))


def test_figures_are_written_as_prometheus_reads_them() -> None:
    found = Histogram()
    for seconds in (0.0001, 0.05, 99):
        found.add(seconds)
    lines = list(histogram("t", "Time.", {(("a", 'x"\n\\'),): found}))
    assert lines[0] == "# HELP t Time."
    assert lines[2] == 't_bucket{a="x\\"\\n\\\\",le="0.001"} 1'
    assert lines[-3] == 't_bucket{a="x\\"\\n\\\\",le="+Inf"} 3'
    assert lines[-1].endswith(" 3")
    assert list(family("f", "gauge", "F.", {(): 12_345_678_901.0}))[-1] == "f 12345678901"


async def test_the_service_manager_hears_that_the_node_lives(node: RunningNode, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
        manager.ready()
        assert listening.recv(100) == b"READY=1"
        inside = replace(node.inside, core=replace(node.inside.core, settings=house(tmp_path / "quiet")))
        await start_watching(inside, manager)
        for _ in range(2):
            assert await _received(listening) == b"WATCHDOG=1"
        manager.stopping()


async def _received(listening: socket.socket) -> bytes:
    return await asyncio.to_thread(listening.recv, 100)


async def test_a_node_as_a_service_says_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    settings = house(tmp_path / "node", f'[http]\nlisten = "127.0.0.1:{free_port()}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        node = subprocess.Popen(
            [sys.executable, "-m", "server", "run", "--config", str(settings.data_dir / "kairan.toml")],
            stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"},
        )
        try:
            told = {await _received(listening) for _ in range(4)}
            assert told == {b"READY=1", b"WATCHDOG=1"}
            node.send_signal(signal.SIGSTOP)
            while _left(listening):
                pass
            assert not _left(listening, 1.2), "a node that hangs is silent, and would be started anew"
            node.send_signal(signal.SIGCONT)
            assert await _received(listening) == b"WATCHDOG=1"
            node.terminate()
            while await _received(listening) != b"STOPPING=1":
                pass
            assert await asyncio.to_thread(node.wait, 20) == 0
        finally:
            node.kill()


def _left(listening: socket.socket, seconds: float = 0.01) -> bytes:
    """What is there to be read within ``seconds``."""
    ready, _, _ = select.select([listening], [], [], seconds)
    return listening.recv(100) if ready else b""


def test_without_a_service_manager_nothing_happens() -> None:
    manager = ServiceManager({})
    manager.ready()
    assert manager.heartbeat_s is None
    assert ServiceManager({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}).heartbeat_s == 15
    assert ServiceManager({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}).heartbeat_s is None
    ServiceManager({"NOTIFY_SOCKET": "/nowhere/socket"}).alive()


def test_json_lines_name_nobody() -> None:
    record = logging.LogRecord("server.x", logging.INFO, "", 1, "@taro:sakura.example said 090-1234-5678", (), None)
    record.fields = {"rows": 2, "who": "taro@example.jp"}
    line = json.loads(JsonLines().format(record))
    assert line["text"] == "@…:sakura.example said …"
    assert (line["rows"], line["who"], line["level"]) == ("2", "…@example.jp", "INFO")
